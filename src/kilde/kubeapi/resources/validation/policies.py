"""Validation of webhooks and admission policies."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from kilde.core.basics.values import Object
from kilde.core.objects.cel.types import NULL, STRING, list_of, struct
from kilde.kubeapi.resources.causes import (
    Cause,
    Struct,
    duplicate,
    invalid,
    not_supported,
    required,
)
from kilde.kubeapi.resources.policies.names import Names
from kilde.kubeapi.resources.validation.conditions import check_status_conditions
from kilde.kubeapi.resources.validation.expressions import check_conditions, check_expression
from kilde.kubeapi.resources.validation.fields import check_selector, get, items, named, one_of, word_of
from kilde.kubeapi.resources.validation.names import (
    dns_1035_label,
    dns_subdomain,
    path_segment,
    qualified_name,
)
from kilde.kubeapi.resources.validation.webhook_clients import check_client

_FAILURE = ("Fail", "Ignore")
_MATCH = ("Equivalent", "Exact")
_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS = ("Audit", "Deny", "Warn")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_REINVOCATION = ("IfNeeded", "Never")
_MUTATED = ("*", "CONNECT", "CREATE", "UPDATE")
_OF_WEBHOOKS = Names(params=False)
# patchType → what the expression gives.
_MUTATIONS = {"ApplyConfiguration": struct("Object"), "JSONPatch": list_of(struct("JSONPatch"))}
_LONGEST_WAIT, _LONGEST_ANNOTATION = 30, 5 * 1024
_MOST_ANNOTATIONS = 20
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def check_webhooks(configuration: Object) -> Iterator[Cause]:
    """What is wrong with a webhook configuration of either kind."""
    seen: set[str] = set()
    for index, hook in items(configuration, "webhooks"):
        at, name = f"webhooks[{index}]", hook.get("name") or ""
        yield from named(name, qualified_domain, f"{at}.name", needed=True)
        yield from _hook(hook, at)
        yield from _review_versions(hook.get("admissionReviewVersions") or [], f"{at}.admissionReviewVersions")
        if name and name in seen:
            yield Cause(f"{at}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"')
        seen.add(name)


def qualified_domain(name: str) -> list[str]:
    """A domain of at least three segments."""
    few = ["should be a domain with at least three segments separated by dots"] if name.count(".") < 2 else []
    return dns_subdomain(name) or few


def _hook(hook: Object, at: str) -> Iterator[Cause]:
    for index, rule in items(hook, "rules"):
        yield from _rule(rule, f"{at}.rules[{index}]")
    yield from word_of(hook.get("failurePolicy"), _FAILURE, f"{at}.failurePolicy")
    yield from word_of(hook.get("matchPolicy"), _MATCH, f"{at}.matchPolicy")
    if hook.get("sideEffects") is None:
        yield required(f"{at}.sideEffects", f"must specify one of {', '.join(_SIDE_EFFECTS)}")
    else:
        yield from word_of(hook["sideEffects"], _SIDE_EFFECTS, f"{at}.sideEffects")
    seconds = hook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= _LONGEST_WAIT:
        yield invalid(
            f"{at}.timeoutSeconds", seconds, f"the timeout value must be between 1 and {_LONGEST_WAIT} seconds"
        )
    yield from check_selector(hook.get("namespaceSelector"), f"{at}.namespaceSelector")
    yield from check_selector(hook.get("objectSelector"), f"{at}.objectSelector")
    yield from word_of(hook.get("reinvocationPolicy"), _REINVOCATION, f"{at}.reinvocationPolicy")
    yield from check_client(hook.get("clientConfig") or {}, f"{at}.clientConfig")
    yield from check_conditions(hook, f"{at}.matchConditions", _OF_WEBHOOKS)


def _review_versions(versions: list[str], at: str) -> Iterator[Cause]:
    if not versions:
        yield required(at, "must specify one of v1, v1beta1")
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield invalid(f"{at}[{index}]", version, "duplicate version")
            continue
        yield from (invalid(f"{at}[{index}]", version, text) for text in dns_1035_label(version))
    if not {"v1", "v1beta1"} & set(versions):
        yield invalid(at, versions, "must include at least one of v1, v1beta1")


def _rule(rule: Object, at: str) -> Iterator[Cause]:
    yield from _some_or_all(rule, "operations", at)
    for index, operation in items(rule, "operations"):
        if operation not in _OPERATIONS:
            yield not_supported(f"{at}.operations[{index}]", operation, _OPERATIONS)
    yield from _some_or_all(rule, "apiGroups", at)
    yield from _some_or_all(rule, "apiVersions", at)
    for index, word in items(rule, "apiVersions"):
        if not word:
            yield required(f"{at}.apiVersions[{index}]")
    yield from _resources(rule.get("resources") or [], f"{at}.resources")
    scope = rule.get("scope")
    if scope is not None and scope not in _SCOPES:
        yield not_supported(f"{at}.scope", scope, _SCOPES)


def _some_or_all(rule: Object, key: str, at: str) -> Iterator[Cause]:
    """At least one word; the one for all stands alone."""
    values: Sequence[str] = rule.get(key) or ()
    if not values:
        yield required(f"{at}.{key}")
    if "*" in values and len(values) > 1:
        yield invalid(f"{at}.{key}", list(values), "if '*' is present, must not specify other " + _PLURALS[key])


def _resources(names: list[str], at: str) -> Iterator[Cause]:
    """Resources and sub-resources; a wildcard leaves nothing for others to name."""
    if not names:
        yield required(at)
    for index, name in enumerate(names):
        where, before = f"{at}[{index}]", names[:index]
        resource, slash, part = name.partition("/")
        if not name:
            yield required(where)
        if slash and f"{resource}/*" in before:
            yield invalid(where, name, f"if '{resource}/*' is present, must not specify {name}")
        if slash and f"*/{part}" in before:
            yield invalid(where, name, f"if '*/{part}' is present, must not specify {name}")
    if len(names) > 1 and "*/*" in names:
        yield invalid(at, names, "if '*/*' is present, must not specify other resources")
    whole = [name for name in names if name and "/" not in name]
    if "*" in whole and whole[-1] != "*":  # a real server remembers of those without a part only the last
        yield invalid(at, names, "if '*' is present, must not specify other resources without subresources")


def _named_rule(rule: Object, at: str) -> Iterator[Cause]:
    names = rule.get("resourceNames") or []
    for index, name in enumerate(names):
        yield from (invalid(f"{at}.resourceNames[{index}]", name, text) for text in path_segment(name))
        if name in names[:index]:
            yield duplicate(f"{at}.resourceNames[{index}]", name)
    yield from _rule(rule, at)


_PLURALS = {"operations": "operations", "apiGroups": "API groups", "apiVersions": "API versions"}


def check_policy(policy: Object) -> Iterator[Cause]:
    """What is wrong with a ValidatingAdmissionPolicy."""
    spec = policy.get("spec") or {}
    names = _names(spec)
    yield from _common(spec, names)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        words = "validations or auditAnnotations must contain at least one item"
        yield required("spec.validations", words)
        yield required("spec.auditAnnotations", words)
        return
    for index, one in items(spec, "validations"):
        yield from _validation(one, f"spec.validations[{index}]", names)
    yield from _audit_annotations(spec, get(policy, "metadata", "name", default=""), names)


def check_policy_status(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a new status of a ValidatingAdmissionPolicy."""
    for index, one in items(new, "status", "typeChecking", "expressionWarnings"):
        at = f"status.typeChecking.expressionWarnings[{index}]"
        if not one.get("warning"):
            yield required(f"{at}.warning")
        if not one.get("fieldRef"):
            yield required(f"{at}.fieldRef")
    yield from check_status_conditions(get(new, "status", "conditions"), "status.conditions")


def _names(spec: Object) -> Names:
    """What expressions of a policy can name."""
    return Names.of(spec.get("variables") or (), params=spec.get("paramKind") is not None)


def _validation(one: Object, at: str, names: Names) -> Iterator[Cause]:
    yield from check_expression(one.get("expression"), f"{at}.expression", names)
    told, message = one.get("messageExpression") or "", one.get("message") or ""
    if told and not told.strip():
        yield invalid(f"{at}.messageExpression", told, "must be non-empty if specified")
    elif told:
        known = replace(names, authorizer=False)
        yield from check_expression(told, f"{at}.messageExpression", known, (STRING,))
    if message and not message.strip():
        yield invalid(f"{at}.message", message, "must be non-empty if specified")
    elif "\n" in message.strip() or "\r" in message.strip():
        yield invalid(f"{at}.message", message, "must not contain line breaks")
    yield from word_of(one.get("reason"), _REASONS, f"{at}.reason")


def _audit_annotations(spec: Object, name: str, names: Names) -> Iterator[Cause]:
    keys: set[str] = set()
    if len(spec.get("auditAnnotations") or ()) > _MOST_ANNOTATIONS:
        words = f"must not have more than {_MOST_ANNOTATIONS} auditAnnotations"
        yield invalid("spec.auditAnnotations", [_annotation_as_held(one) for one in spec["auditAnnotations"]], words)
    for index, one in items(spec, "auditAnnotations"):
        at, key = f"spec.auditAnnotations[{index}]", one.get("key") or ""
        if name:
            yield from (invalid(f"{at}.key", f"{name}/{key}", text) for text in qualified_name(f"{name}/{key}"))
        else:
            yield invalid(f"{at}.key", key, "requires metadata.name be non-empty")
        text = (one.get("valueExpression") or "").strip()
        if len(text) > _LONGEST_ANNOTATION:
            yield required(f"{at}.valueExpression", f"must not exceed {_LONGEST_ANNOTATION} bytes in length")
        else:
            missing, value = "valueExpression is not specified", one.get("valueExpression")
            where = f"{at}.valueExpression"
            yield from check_expression(text, where, names, (STRING, NULL), missing=missing, told=value)
        if key in keys:
            yield duplicate(f"{at}.key", key)
        keys.add(key)


def _annotation_as_held(one: Object) -> Struct:
    return Struct({"Key": one.get("key") or "", "ValueExpression": one.get("valueExpression") or ""})


def check_mutating_policy(policy: Object) -> Iterator[Cause]:
    """What is wrong with a MutatingAdmissionPolicy."""
    spec = policy.get("spec") or {}
    names = replace(_names(spec), patches=True)
    yield from _common(spec, _names(spec))
    yield from check_mutated_operations(spec, "matchConstraints")
    yield from one_of(spec.get("reinvocationPolicy"), _REINVOCATION, "spec.reinvocationPolicy", needed=True)
    if not spec.get("mutations"):
        yield required("spec.mutations", "mutations must contain at least one item")
    for index, one in items(spec, "mutations"):
        at, kind = f"spec.mutations[{index}]", one.get("patchType") or ""
        key = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}.get(kind)
        yield from one_of(kind, ("ApplyConfiguration", "JSONPatch"), f"{at}.patchType", needed=True)
        if key is not None:
            other = "jsonPatch" if key == "applyConfiguration" else "applyConfiguration"
            if one.get(other) is not None:
                yield invalid(f"{at}.{other}", f"{{{other}}}", f"must not be specified when patchType is {kind}")
            if one.get(key) is None:
                yield required(f"{at}.{key}", f"must be specified when patchType is {kind}")
            else:
                text = (one[key].get("expression") or "").strip()
                yield from check_expression(text, f"{at}.{key}.expression", names, (_MUTATIONS[kind],), missing="")


def check_mutated_operations(spec: Object, key: str) -> Iterator[Cause]:
    """A deletion cannot be mutated. The real paths have no index."""
    for _, rule in items(spec, key, "resourceRules"):
        for _, operation in items(rule, "operations"):
            if operation not in _MUTATED:
                yield not_supported(f"spec.{key}.resourceRules.operations", operation, _MUTATED)


def _param_kind(kind: Object, at: str) -> Iterator[Cause]:
    api_version, name = kind.get("apiVersion") or "", kind.get("kind") or ""
    group, _, version = api_version.rpartition("/")
    if not api_version:
        yield required(f"{at}.apiVersion")
    elif api_version.count("/") > 1:
        yield invalid(f"{at}.apiVersion", api_version, f"unexpected GroupVersion string: {api_version}")
    else:
        faults = dns_subdomain(group) if group else []
        if faults:
            yield invalid(f"{at}.apiVersion", group, ",".join(faults))
        if not version:
            yield invalid(f"{at}.apiVersion", api_version, "version must be specified")
        elif dns_1035_label(version):
            yield invalid(f"{at}.apiVersion", version, ",".join(dns_1035_label(version)))
    faults = dns_1035_label(name.lower())
    if not name:
        yield required(f"{at}.kind")
    elif faults:
        words = f"may have mixed case, but should otherwise match: {','.join(faults)}"
        yield invalid(f"{at}.kind", name, words)


def _common(spec: Object, names: Names) -> Iterator[Cause]:
    yield from word_of(spec.get("failurePolicy"), _FAILURE, "spec.failurePolicy")
    kind = spec.get("paramKind")
    if kind is not None:
        yield from _param_kind(kind, "spec.paramKind")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        yield required("spec.matchConstraints")
    else:
        yield from check_constraints(constraints, "spec.matchConstraints", needed=True)
    yield from check_conditions(spec, "spec.matchConditions", replace(names, variables=None))
    for index, one in items(spec, "variables"):
        at, name = f"spec.variables[{index}]", one.get("name") or ""
        if not name.strip():
            yield required(f"{at}.name", "name is not specified")
        elif not _IDENTIFIER.fullmatch(name):
            yield invalid(f"{at}.name", name, "must be a valid CEL identifier")
        yield from check_expression(one.get("expression"), f"{at}.expression", names.before(index), ())


def check_constraints(constraints: Object, at: str, *, needed: bool) -> Iterator[Cause]:
    """What is wrong with the requests that a policy or its binding is about."""
    yield from word_of(constraints.get("matchPolicy"), _MATCH, f"{at}.matchPolicy")
    yield from check_selector(constraints.get("namespaceSelector"), f"{at}.namespaceSelector")
    yield from check_selector(constraints.get("objectSelector"), f"{at}.objectSelector")
    for key in ("resourceRules", "excludeResourceRules"):
        for index, rule in items(constraints, key):
            yield from _named_rule(rule, f"{at}.{key}[{index}]")
    if needed and not constraints.get("resourceRules"):
        yield required(f"{at}.resourceRules")
