"""Validation of webhooks and admission policies."""

import re
from collections.abc import Iterator, Sequence

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.cel import BadExpression, available, expression
from kilde.kubeapi.resources.validation.fields import check_selector, get, items, named, one_of
from kilde.kubeapi.resources.validation.names import dns_1035_label, dns_subdomain, qualified_name
from kilde.kubeapi.resources.validation.webhook_clients import check_service, check_url

_VARIABLES = ("object", "oldObject", "request", "params", "namespaceObject", "variables", "authorizer")
_FAILURE = ("Fail", "Ignore")
_MATCH = ("Equivalent", "Exact")
_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS = ("Audit", "Deny", "Warn")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_REINVOCATION = ("IfNeeded", "Never")
_LONGEST_WAIT = 30
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def check_webhooks(configuration: Object) -> Iterator[Cause]:
    """What is wrong with a webhook configuration of either kind."""
    seen: set[str] = set()
    for index, hook in items(configuration, "webhooks"):
        at, name = f"webhooks[{index}]", hook.get("name") or ""
        yield from named(name, _three_segments, f"{at}.name", needed=True)
        if name and name in seen:
            yield Cause(f"{at}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"')
        seen.add(name)
        yield from _hook(hook, at)


def _three_segments(name: str) -> list[str]:
    if name.count(".") < 2:
        return ["should be a domain with at least three segments separated by dots"]
    return dns_subdomain(name)


def _hook(hook: Object, at: str) -> Iterator[Cause]:
    yield from one_of(hook.get("failurePolicy"), _FAILURE, f"{at}.failurePolicy")
    yield from one_of(hook.get("matchPolicy"), _MATCH, f"{at}.matchPolicy")
    yield from one_of(hook.get("reinvocationPolicy"), _REINVOCATION, f"{at}.reinvocationPolicy")
    if hook.get("sideEffects") is None:
        yield required(f"{at}.sideEffects", f"must specify one of {', '.join(_SIDE_EFFECTS)}")
    else:
        yield from one_of(hook["sideEffects"], _SIDE_EFFECTS, f"{at}.sideEffects")
    yield from _review_versions(hook.get("admissionReviewVersions") or [], f"{at}.admissionReviewVersions")
    yield from _conditions(hook, f"{at}.matchConditions")
    seconds = hook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= _LONGEST_WAIT:
        yield invalid(
            f"{at}.timeoutSeconds", seconds, f"the timeout value must be between 1 and {_LONGEST_WAIT} seconds"
        )
    yield from check_selector(hook.get("namespaceSelector"), f"{at}.namespaceSelector")
    yield from check_selector(hook.get("objectSelector"), f"{at}.objectSelector")
    yield from _client(hook.get("clientConfig") or {}, f"{at}.clientConfig")
    for index, rule in items(hook, "rules"):
        yield from _rule(rule, f"{at}.rules[{index}]")


def _review_versions(versions: list[str], at: str) -> Iterator[Cause]:
    if not versions:
        yield required(at, "must specify one of v1, v1beta1")
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield invalid(f"{at}[{index}]", version, "duplicate version")
        yield from (invalid(f"{at}[{index}]", version, text) for text in dns_1035_label(version))
    if not {"v1", "v1beta1"} & set(versions):
        yield invalid(at, versions, "must include at least one of v1, v1beta1")


def _conditions(owner: Object, at: str) -> Iterator[Cause]:
    """Match conditions: each has a name of its own and an expression."""
    seen: set[str] = set()
    for index, one in items(owner, "matchConditions"):
        where, name = f"{at}[{index}]", one.get("name") or ""
        if not (one.get("expression") or "").strip():
            yield required(f"{where}.expression")
        if not name:
            yield required(f"{where}.name")
        else:
            yield from (invalid(f"{where}.name", name, text) for text in qualified_name(name))
        if name and name in seen:
            yield Cause(f"{where}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"')
        seen.add(name)


def _client(config: Object, at: str) -> Iterator[Cause]:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield required(at, "exactly one of url or service is required")
    elif service is None:
        yield from check_url(str(url), f"{at}.url")
    else:
        yield from check_service(service, f"{at}.service")


def _rule(rule: Object, at: str) -> Iterator[Cause]:
    for key in ("operations", "apiGroups", "apiVersions", "resources"):
        values: Sequence[str] = rule.get(key) or ()
        if not values:
            yield required(f"{at}.{key}")
        if "*" in values and len(values) > 1 and key != "resources":
            yield invalid(f"{at}.{key}", list(values), "if '*' is present, must not specify other " + _PLURALS[key])
    for index, operation in items(rule, "operations"):
        if operation not in _OPERATIONS:
            yield not_supported(f"{at}.operations[{index}]", operation, _OPERATIONS)
    for key in ("apiVersions", "resources"):
        for index, word in items(rule, key):
            if not word:
                yield required(f"{at}.{key}[{index}]")
    scope = rule.get("scope")
    if scope is not None and scope not in _SCOPES:
        yield not_supported(f"{at}.scope", scope, _SCOPES)


_PLURALS = {"operations": "operations", "apiGroups": "API groups", "apiVersions": "API versions"}


def check_policy(policy: Object) -> Iterator[Cause]:
    """What is wrong with a ValidatingAdmissionPolicy."""
    spec = policy.get("spec") or {}
    yield from _common(spec)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        words = "validations or auditAnnotations must be non-empty"
        yield required("spec.validations", words)
        yield required("spec.auditAnnotations", words)
    for index, one in items(spec, "validations"):
        at = f"spec.validations[{index}]"
        yield from _expression(one.get("expression"), f"{at}.expression")
        yield from one_of(one.get("reason"), _REASONS, f"{at}.reason")
        if "\n" in (one.get("message") or "").strip():
            yield invalid(f"{at}.message", one["message"], "message must not contain line breaks")
    for index, one in items(spec, "auditAnnotations"):
        at = f"spec.auditAnnotations[{index}]"
        key = f"{get(policy, 'metadata', 'name', default='')}/{one.get('key') or ''}"
        yield from (invalid(f"{at}.key", key, text) for text in qualified_name(key))
        yield from _expression(one.get("valueExpression"), f"{at}.valueExpression", "valueExpression is not specified")


def check_mutating_policy(policy: Object) -> Iterator[Cause]:
    """What is wrong with a MutatingAdmissionPolicy."""
    spec = policy.get("spec") or {}
    yield from _common(spec)
    yield from one_of(spec.get("reinvocationPolicy"), _REINVOCATION, "spec.reinvocationPolicy", needed=True)
    if not spec.get("mutations"):
        yield required("spec.mutations", "mutations must contain at least one item")
    for index, one in items(spec, "mutations"):
        at, kind = f"spec.mutations[{index}]", one.get("patchType") or ""
        key = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}.get(kind)
        yield from one_of(kind, ("ApplyConfiguration", "JSONPatch"), f"{at}.patchType", needed=True)
        if key is not None:
            if one.get(key) is None:
                yield required(f"{at}.{key}", f"must be specified when patchType is {kind}")
            else:
                # Mutations make typed objects, of which only the evaluation knows: they are not compiled here.
                if not (one[key].get("expression") or "").strip():
                    yield required(f"{at}.{key}.expression", "expression is not specified")


def _common(spec: Object) -> Iterator[Cause]:
    yield from one_of(spec.get("failurePolicy"), _FAILURE, "spec.failurePolicy")
    kind = spec.get("paramKind")
    if kind is not None:
        for key in ("apiVersion", "kind"):
            if not kind.get(key):
                yield required(f"spec.paramKind.{key}")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        yield required("spec.matchConstraints")
    else:
        yield from _constraints(constraints, "spec.matchConstraints", needed=True)
    yield from _conditions(spec, "spec.matchConditions")
    names: set[str] = set()
    for index, one in items(spec, "variables"):
        at, name = f"spec.variables[{index}]", one.get("name") or ""
        if not name:
            yield required(f"{at}.name", "name is not specified")
        elif not _IDENTIFIER.fullmatch(name):
            yield invalid(f"{at}.name", name, "must be a valid CEL identifier")
        if name and name in names:
            yield Cause(f"{at}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"')
        names.add(name)
        yield from _expression(one.get("expression"), f"{at}.expression")


def _constraints(constraints: Object, at: str, *, needed: bool) -> Iterator[Cause]:
    yield from check_selector(constraints.get("namespaceSelector"), f"{at}.namespaceSelector")
    yield from check_selector(constraints.get("objectSelector"), f"{at}.objectSelector")
    yield from one_of(constraints.get("matchPolicy"), _MATCH, f"{at}.matchPolicy")
    if needed and not constraints.get("resourceRules"):
        yield required(f"{at}.resourceRules")
    for key in ("resourceRules", "excludeResourceRules"):
        for index, rule in items(constraints, key):
            yield from _rule(rule, f"{at}.{key}[{index}]")


def _expression(text: Json, at: str, missing: str = "expression is not specified") -> Iterator[Cause]:
    if not (text or "").strip():
        yield required(at, missing)
    elif available():
        try:
            expression(str(text).strip(), _VARIABLES)
        except BadExpression as error:
            if not error.is_ours:
                yield invalid(at, text, f"compilation failed: {error.what}")


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
        words = "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers)"
        yield invalid("spec.validationActions", list(actions), words)


def check_mutating_binding(binding: Object) -> Iterator[Cause]:
    """What is wrong with a MutatingAdmissionPolicyBinding."""
    yield from _binding(binding.get("spec") or {})


def _binding(spec: Object) -> Iterator[Cause]:
    yield from named(spec.get("policyName"), dns_subdomain, "spec.policyName", needed=True)
    if spec.get("matchResources") is not None:
        yield from _constraints(spec["matchResources"], "spec.matchResources", needed=False)
    ref = spec.get("paramRef")
    if ref is None:
        return
    at = "spec.paramRef"
    if ref.get("name") and ref.get("selector") is not None:
        yield forbidden(f"{at}.name", "name and selector are mutually exclusive")
    elif not ref.get("name") and ref.get("selector") is None:
        yield required(at, "one of name or selector must be specified")
    if ref.get("parameterNotFoundAction") is None:
        yield required(f"{at}.parameterNotFoundAction")
    else:
        yield from one_of(ref["parameterNotFoundAction"], ("Allow", "Deny"), f"{at}.parameterNotFoundAction")
