"""Validation of bindings of admission policies."""

from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.fields import check_selector, named, one_of
from kilde.kubeapi.resources.validation.names import dns_subdomain, path_segment
from kilde.kubeapi.resources.validation.policies import check_constraints, check_mutated_operations

_ACTIONS = ("Audit", "Deny", "Warn")


def check_policy_binding(binding: Object) -> Iterator[Cause]:
    """What is wrong with a ValidatingAdmissionPolicyBinding."""
    spec = binding.get("spec") or {}
    yield from _binding(spec)
    actions = spec.get("validationActions") or ()
    if not actions:
        yield required("spec.validationActions", "at least one validation action is required")
    seen: set[str] = set()
    for index, action in enumerate(actions):
        if action not in _ACTIONS:
            yield not_supported(f"spec.validationActions[{index}]", action, _ACTIONS)
        if action in seen:
            yield Cause(f"spec.validationActions[{index}]", "FieldValueDuplicate", f'Duplicate value: "{action}"')
        seen.add(action)
    if {"Deny", "Warn"} <= set(actions):
        words = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API response"
            " and headers serves no purpose)"
        )
        yield invalid("spec.validationActions", list(actions), words)


def check_mutating_binding(binding: Object) -> Iterator[Cause]:
    """What is wrong with a MutatingAdmissionPolicyBinding."""
    yield from _binding(binding.get("spec") or {})
    yield from check_mutated_operations(binding.get("spec") or {}, "matchResources")


def _binding(spec: Object) -> Iterator[Cause]:
    yield from named(spec.get("policyName"), dns_subdomain, "spec.policyName", needed=True)
    if spec.get("paramRef") is not None:
        yield from _param_ref(spec["paramRef"], "spec.paramRef")
    if spec.get("matchResources") is not None:
        yield from check_constraints(spec["matchResources"], "spec.matchResources", needed=False)


def _param_ref(ref: Object, at: str) -> Iterator[Cause]:
    name, selector = ref.get("name") or "", ref.get("selector")
    words = "name and selector are mutually exclusive"
    if name:
        yield from (invalid(f"{at}.name", name, text) for text in path_segment(name))
        if selector is not None:
            yield forbidden(f"{at}.name", words)
    if selector is not None:
        yield from check_selector(selector, f"{at}.selector")
        if name:
            yield forbidden(f"{at}.selector", words)
    if not name and selector is None:
        yield required(at, "one of name or selector must be specified")
    action = ref.get("parameterNotFoundAction")
    yield from one_of(action, ("Deny", "Allow"), f"{at}.parameterNotFoundAction", needed=True)
