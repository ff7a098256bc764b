"""How bindings of roles, certificate requests, priorities, policies, webhooks and flow control are printed."""

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.printers.column import (
    AGE,
    NAME,
    NONE,
    UNSET,
    Column,
    Printer,
    condition,
    deleting,
    field,
    get,
    human_duration,
    wide,
)


def _subjects(kind: str) -> Column:
    def cell(binding: Object, now: float) -> str:
        found = [one for one in binding.get("subjects") or () if one.get("kind") == kind]
        if kind == "ServiceAccount":
            return ", ".join(f"{one.get('namespace', '')}/{one.get('name')}" for one in found)
        return ", ".join(str(one.get("name")) for one in found)

    return wide(f"{kind}s", cell)


def _role(binding: Object, now: float) -> str:
    return f"{get(binding, 'roleRef', 'kind', default='')}/{get(binding, 'roleRef', 'name', default='')}"


def _requested_duration(request: Object, now: float) -> str:
    seconds = get(request, "spec", "expirationSeconds")
    return NONE if seconds is None else human_duration(seconds)


def _request_condition(request: Object, now: float) -> str:
    kinds = {one.get("type") for one in get(request, "status", "conditions", default=())}
    words = [word for word in ("Denied", "Approved") if word in kinds][:1] or ["Pending"]
    if "Failed" in kinds:
        words.append("Failed")
    if get(request, "status", "certificate"):
        words.append("Issued")
    return ",".join(words)


def _available(service: Object, now: float) -> str:
    found = condition(service, "Available")
    status = str(found.get("status", "Unknown"))
    return status if status == "True" or not found else f"{status} ({found.get('reason', '')})"


def _service(api_service: Object, now: float) -> str:
    found = get(api_service, "spec", "service")
    return "Local" if found is None else f"{found.get('namespace', '')}/{found.get('name', '')}"


def _param_kind(policy: Object, now: float) -> str:
    found = get(policy, "spec", "paramKind")
    return UNSET if found is None else f"{found.get('apiVersion', '')}/{found.get('kind', '')}"


def _param_ref(binding: Object, now: float) -> str:
    found = get(binding, "spec", "paramRef", default={})
    if found.get("name"):
        return f"{found.get('namespace') or '*'}/{found['name']}"
    return _as_go_prints(found["selector"]) if "selector" in found else UNSET


def _as_go_prints(selector: Object) -> str:
    """A selector as Go prints its type, for that is what a real server shows here."""
    labels = "".join(f"{key}: {value}," for key, value in sorted(get(selector, "matchLabels", default={}).items()))
    terms = "".join(
        f"LabelSelectorRequirement{{Key:{one.get('key') or ''},Operator:{one.get('operator') or ''},"
        f"Values:[{' '.join(one.get('values') or ())}],}},"
        for one in get(selector, "matchExpressions", default=())
    )
    return f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{terms}}},}}"


def _length(name: str, *path: str) -> Column:
    return Column(name, lambda obj, now: len(get(obj, *path, default=())), "integer")


def _queuing(name: str, key: str) -> Column:
    return Column(name, field("spec", "limited", "limitResponse", "queuing", key, default=NONE))


def _shares(level: Object, now: float) -> Json:
    return get(level, "spec", "limited", "nominalConcurrencyShares", default=NONE)


def _claim_state(claim: Object, now: float) -> str:
    words = ["deleted"] if deleting(claim) else []
    if get(claim, "status", "allocation") is None:
        return ",".join(words or ["pending"])
    words.append("allocated")
    if get(claim, "status", "reservedFor"):
        words.append("reserved")
    return ",".join(words)


_BINDING = (NAME, Column("Role", _role), AGE, _subjects("User"), _subjects("Group"), _subjects("ServiceAccount"))
ROLE_BINDING = Printer(_BINDING)
CERTIFICATE_SIGNING_REQUEST = Printer(
    (
        NAME,
        AGE,
        Column("SignerName", field("spec", "signerName")),
        Column("Requestor", field("spec", "username")),
        Column("RequestedDuration", _requested_duration),
        Column("Condition", _request_condition),
    )
)
PRIORITY_CLASS = Printer(
    (
        NAME,
        Column("Value", field("value", default=0), "integer"),
        Column("Global-Default", field("globalDefault", default=False), "boolean"),
        AGE,
        Column("PreemptionPolicy", field("preemptionPolicy", default="PreemptLowerPriority")),
    )
)
API_SERVICE = Printer((NAME, Column("Service", _service), Column("Available", _available), AGE))
WEBHOOKS = Printer((NAME, _length("Webhooks", "webhooks"), AGE))
VALIDATING_POLICY = Printer(
    (NAME, _length("Validations", "spec", "validations"), Column("ParamKind", _param_kind), AGE)
)
MUTATING_POLICY = Printer((NAME, _length("Mutations", "spec", "mutations"), Column("ParamKind", _param_kind), AGE))
POLICY_BINDING = Printer((NAME, Column("PolicyName", field("spec", "policyName")), Column("ParamRef", _param_ref), AGE))
FLOW_SCHEMA = Printer(
    (
        NAME,
        Column("PriorityLevel", field("spec", "priorityLevelConfiguration", "name")),
        Column("MatchingPrecedence", field("spec", "matchingPrecedence", default=0)),
        Column("DistinguisherMethod", field("spec", "distinguisherMethod", "type", default=NONE)),
        AGE,
        Column("MissingPL", lambda obj, now: condition(obj, "Dangling").get("status", "?")),
    ),
    order=lambda obj: (get(obj, "spec", "matchingPrecedence", default=0), obj["metadata"]["name"]),
)
PRIORITY_LEVEL = Printer(
    (
        NAME,
        Column("Type", field("spec", "type")),
        Column("NominalConcurrencyShares", _shares),
        _queuing("Queues", "queues"),
        _queuing("HandSize", "handSize"),
        _queuing("QueueLengthLimit", "queueLengthLimit"),
        AGE,
    )
)
RESOURCE_CLAIM = Printer((NAME, Column("State", _claim_state), AGE))
RESOURCE_SLICE = Printer(
    (
        NAME,
        Column("Node", lambda obj, now: get(obj, "spec", "nodeName") or UNSET),
        Column("Driver", field("spec", "driver")),
        Column("Pool", field("spec", "pool", "name")),
        AGE,
    )
)
ONLY_AGE = Printer((NAME, AGE))
