"""Validation of where a pod may run: affinity, tolerations, topology spread."""

from collections.abc import Iterator

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, duplicate, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.fields import check_selector, get, items, positive
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain, label_value, qualified_name

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
_HONOUR = ("Honor", "Ignore")
_NODE_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)


def check_affinity(affinity: Json, at: str) -> Iterator[Cause]:
    """What is wrong with a pod's affinity to nodes and other pods."""
    yield from _node_affinity(get(affinity, "nodeAffinity"), f"{at}.nodeAffinity")
    for kind in ("podAffinity", "podAntiAffinity"):
        yield from _pod_affinity(get(affinity, kind), f"{at}.{kind}")


def _node_affinity(affinity: Json, at: str) -> Iterator[Cause]:
    if affinity is None:
        return
    needed = affinity.get(_REQUIRED)
    if needed is not None:
        yield from check_node_selector(needed, f"{at}.{_REQUIRED}")
    for index, one in items(affinity, _PREFERRED):
        where = f"{at}.{_PREFERRED}[{index}]"
        yield from _weight(one.get("weight") or 0, f"{where}.weight")
        yield from _term(one.get("preference") or {}, f"{where}.preference", any_value=True)


def _weight(weight: int, at: str) -> Iterator[Cause]:
    if not 1 <= weight <= 100:
        yield invalid(at, weight, "must be in the range 1-100")


def check_node_selector(selector: Object, at: str) -> Iterator[Cause]:
    """A NodeSelector: at least one term."""
    terms = selector.get("nodeSelectorTerms") or ()
    if not terms:
        yield required(f"{at}.nodeSelectorTerms", "must have at least one node selector term")
    for index, term in enumerate(terms):
        yield from _term(term, f"{at}.nodeSelectorTerms[{index}]")


def _term(term: Object, at: str, *, any_value: bool = False) -> Iterator[Cause]:
    for index, one in items(term, "matchExpressions"):
        yield from _node_expression(one, f"{at}.matchExpressions[{index}]")
        if not any_value:
            for number, value in items(one, "values"):
                where = f"{at}.matchExpressions[{index}].values[{number}]"
                yield from (invalid(where, value, text) for text in label_value(value))
    for index, one in items(term, "matchFields"):
        where = f"{at}.matchFields[{index}]"
        operator = one.get("operator") or ""
        if operator not in ("In", "NotIn"):
            yield invalid(f"{where}.operator", operator, "not a valid selector operator")
        elif len(one.get("values") or ()) != 1:
            yield required(
                f"{where}.values", "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            )
        if one.get("key") != "metadata.name":
            yield invalid(f"{where}.key", one.get("key") or "", "not a valid field selector key")
            continue
        for number, name in items(one, "values"):
            yield from (invalid(f"{where}.values[{number}]", name, text) for text in dns_subdomain(name))


def _node_expression(one: Object, at: str) -> Iterator[Cause]:
    operator, values, key = one.get("operator") or "", one.get("values") or (), one.get("key") or ""
    if operator in ("In", "NotIn") and not values:
        yield required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist") and values:
        yield forbidden(f"{at}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator in ("Gt", "Lt") and len(values) != 1:
        yield required(f"{at}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    elif operator not in _NODE_OPERATORS:
        yield invalid(f"{at}.operator", operator, "not a valid selector operator")
    yield from (invalid(f"{at}.key", key, text) for text in qualified_name(key))


def _pod_affinity(affinity: Json, at: str) -> Iterator[Cause]:
    if affinity is None:
        return
    for index, term in items(affinity, _REQUIRED):
        yield from _pod_term(term, f"{at}.{_REQUIRED}[{index}]")
    for index, one in items(affinity, _PREFERRED):
        where = f"{at}.{_PREFERRED}[{index}]"
        yield from _weight(one.get("weight") or 0, f"{where}.weight")
        yield from _pod_term(one.get("podAffinityTerm") or {}, f"{where}.podAffinityTerm")


def _pod_term(term: Object, at: str) -> Iterator[Cause]:
    yield from check_selector(term.get("labelSelector"), f"{at}.labelSelector")
    yield from check_selector(term.get("namespaceSelector"), f"{at}.namespaceSelector")
    for _, name in items(term, "namespaces"):
        yield from (invalid(f"{at}.namespace", name, text) for text in dns_label(name))
    yield from _label_keys(term, at)
    key = term.get("topologyKey") or ""
    if not key:
        yield required(f"{at}.topologyKey", "can not be empty")
    yield from (invalid(f"{at}.topologyKey", key, text) for text in qualified_name(key))


def _label_keys(term: Object, at: str) -> Iterator[Cause]:
    """matchLabelKeys and mismatchLabelKeys: keys that need a selector, each in one of the lists only."""
    match, mismatch = term.get("matchLabelKeys") or [], term.get("mismatchLabelKeys") or []
    if term.get("labelSelector") is None and (match or mismatch):
        for name, keys in (("matchLabelKeys", match), ("mismatchLabelKeys", mismatch)):
            if keys:
                yield forbidden(f"{at}.{name}", "must not be specified when labelSelector is not set")
    for name, keys in (("matchLabelKeys", match), ("mismatchLabelKeys", mismatch)):
        for index, key in enumerate(keys):
            yield from (invalid(f"{at}.{name}[{index}]", key, text) for text in qualified_name(key))
    for index, key in enumerate(match):
        if key in mismatch:
            yield invalid(f"{at}.matchLabelKeys[{index}]", key, "exists in both matchLabelKeys and mismatchLabelKeys")


def check_tolerations(tolerations: Json, at: str) -> Iterator[Cause]:
    """What is wrong with a list of tolerations."""
    for index, one in enumerate(tolerations or ()):
        yield from _toleration(one, f"{at}[{index}]")


def _toleration(one: Object, at: str) -> Iterator[Cause]:
    key, operator, value, effect = (one.get(name) or "" for name in ("key", "operator", "value", "effect"))
    if key:
        yield from (invalid(f"{at}.key", key, text) for text in qualified_name(key))
    elif operator != "Exists":
        words = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield invalid(f"{at}.operator", operator, words)
    if one.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield invalid(f"{at}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if operator in ("Equal", ""):
        yield from (invalid(f"{at}.operator", value, text) for text in label_value(value))
    elif operator == "Exists":
        if value:
            yield invalid(f"{at}.operator", value, "value must be empty when `operator` is 'Exists'")
    else:
        compared = ("Lt", "Gt") if operator in ("Lt", "Gt") else ()  # named only to those who ask for them
        yield not_supported(f"{at}.operator", operator, ("Equal", "Exists", *compared))
    if effect and effect not in _EFFECTS:
        yield not_supported(f"{at}.effect", effect, _EFFECTS)


def check_spread(constraints: Json, at: str) -> Iterator[Cause]:
    """What is wrong with the rules by which pods are spread."""
    pairs = [(one.get("topologyKey") or "", one.get("whenUnsatisfiable") or "") for one in constraints or ()]
    for index, one in enumerate(constraints or ()):
        where = f"{at}[{index}]"
        key, action = pairs[index]
        yield from positive(one.get("maxSkew") or 0, f"{where}.maxSkew")
        if not key:
            yield required(f"{where}.topologyKey", "can not be empty")
        if action not in _UNSATISFIABLE:
            yield not_supported(f"{where}.whenUnsatisfiable", action, _UNSATISFIABLE)
        if (key, action) in pairs[index + 1 :]:
            yield duplicate(f"{where}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
        if one.get("minDomains") is not None:
            yield from positive(one["minDomains"], f"{where}.minDomains")
            if action != "DoNotSchedule":
                words = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
                yield invalid(f"{where}.minDomains", one["minDomains"], words)
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if one.get(name) is not None and one[name] not in _HONOUR:
                yield not_supported(f"{where}.{name}", one[name], _HONOUR)
        yield from _label_keys(one, where)
        yield from check_selector(one.get("labelSelector"), f"{where}.labelSelector")
