"""Validation of deployments, replica sets, daemon sets, stateful sets and controller revisions."""

from collections.abc import Iterable, Iterator

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.fields import (
    as_declared,
    at_most_all,
    check_selector,
    get,
    int_or_percent,
    is_empty,
    is_zero,
    items,
    not_negative,
    one_of,
    selects,
    unchanged,
)
from kilde.kubeapi.resources.validation.names import dns_label
from kilde.kubeapi.resources.validation.pods import check_template, check_template_metadata
from kilde.kubeapi.resources.validation.storage import check_claim_spec

_NO_MATCH = "`selector` does not match template `labels`"
_STATEFUL_FIELDS = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_STATEFUL_FIXED = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit',"
    " 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def _selected_template(spec: Object, kind: str) -> Iterator[Cause]:
    """A selector, and a pod template that it selects and whose pods are always restarted."""
    selector, template = spec.get("selector"), spec.get("template")
    if selector is None:
        if kind != "daemonset":
            yield required("spec.selector")
    else:
        yield from check_selector(selector, "spec.selector")
        if is_empty(selector):
            yield invalid("spec.selector", selector, f"empty selector is invalid for {kind}")
    if not _readable(selector):
        if kind != "daemonset":
            yield invalid(
                "spec.selector", as_declared(selector), "" if kind == "statefulset" else "invalid label selector"
            )
            if kind == "statefulset":
                yield from _restarts(template, "StatefulSet")
            return
    else:
        yield from _matching(selector, template)
    if kind == "statefulset":
        yield from _stateful_template(spec)
        return
    yield from check_template(template, "spec.template")
    yield from _restarts(template, "DaemonSet" if kind == "daemonset" else "ReplicaSet")


def _stateful_template(spec: Object) -> Iterator[Cause]:
    """The template as pods get it, whose hostname and subdomain are given by the set; its labels and annotations are told of twice."""
    template = spec.get("template")
    pod = get(template, "spec", default={})
    if isinstance(template, dict) and ("hostname" in pod or "subdomain" in pod):
        kept = {key: value for key, value in pod.items() if key not in ("hostname", "subdomain")}
        template = {**template, "spec": kept}
    yield from check_template(_with_claims(template, spec.get("volumeClaimTemplates") or ()), "spec.template")
    yield from check_template_metadata(template, "spec.template")
    yield from _restarts(spec.get("template"), "StatefulSet")


def _with_claims(template: Json, claims: Iterable[Object]) -> Json:
    """A StatefulSet's template as its pods get it: each claim is a volume, which takes the place of one of that name."""
    if not claims or not isinstance(template, dict):
        return template
    pod = template.get("spec") or {}
    names = list(dict.fromkeys(get(claim, "metadata", "name", default="") for claim in claims))
    mounted = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
    others = [volume for _, volume in items(pod, "volumes") if volume.get("name") not in names]
    return {**template, "spec": {**pod, "volumes": [*mounted, *others]}}


def _readable(selector: Json) -> bool:
    """Whether a selector can be made from this at all."""
    return next(check_selector(selector, ""), None) is None


def _matching(selector: Json, template: Json) -> Iterator[Cause]:
    labels = get(template, "metadata", "labels")
    if (selector is None or not is_empty(selector)) and not selects(selector, labels):
        yield invalid("spec.template.metadata.labels", labels, _NO_MATCH)


def _restarts(template: Json, kind: str) -> Iterator[Cause]:
    """Pods of controllers that replace them are always restarted, and have no deadline."""
    policy = get(template, "spec", "restartPolicy", default="")
    if policy and policy != "Always":
        yield not_supported("spec.template.spec.restartPolicy", policy, ("Always",))
    if get(template, "spec", "activeDeadlineSeconds") is not None:
        yield forbidden("spec.template.spec.activeDeadlineSeconds", f"activeDeadlineSeconds in {kind} is not Supported")


def check_deployment(obj: Object) -> Iterator[Cause]:
    """What is wrong with a Deployment."""
    spec = obj.get("spec") or {}
    yield from not_negative(spec.get("replicas"), "spec.replicas")
    yield from _selected_template(spec, "deployment")
    yield from _strategy(spec.get("strategy") or {})
    for key in ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        yield from not_negative(spec.get(key), f"spec.{key}")
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds") or 0
    if deadline is not None and deadline <= ready:
        yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _strategy(strategy: Object) -> Iterator[Cause]:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            yield forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif kind == "RollingUpdate":
        if rolling is None:
            yield required("spec.strategy.rollingUpdate", "this should be defaulted and never be nil")
        else:
            yield from _rolling(rolling, "spec.strategy.rollingUpdate")
    else:
        yield not_supported("spec.strategy", _internal(kind, rolling, _DEPLOYMENT_NAMES), ("Recreate", "RollingUpdate"))


# Go's names, the misspelled ones included, in the order of the structs.
_DEPLOYMENT_NAMES = {"MaxUnavailable": "maxUnavailable", "MaxSurge": "maxSurge"}
_STATEFUL_NAMES = {"Partition": "partition", "MaxUnavailable": "maxUnavailable"}


def _internal(kind: str, rolling: Json, names: dict[str, str]) -> Struct:
    """An update strategy as the server holds it."""
    held = None if rolling is None else Struct({name: rolling.get(key) for name, key in names.items()})
    return Struct({"Type": kind, "RollingUpdate": held})


def _rolling(rolling: Object, at: str) -> Iterator[Cause]:
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    yield from int_or_percent(unavailable, f"{at}.maxUnavailable")
    yield from int_or_percent(surge, f"{at}.maxSurge")
    if is_zero(unavailable) and is_zero(surge):
        yield invalid(f"{at}.maxUnavailable", unavailable or 0, "may not be 0 when `maxSurge` is 0")
    yield from at_most_all(unavailable, f"{at}.maxUnavailable")


def check_deployment_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a Deployment: the selector is for ever."""
    yield from check_deployment(new)
    yield from unchanged(
        as_declared(get(new, "spec", "selector")), as_declared(get(old, "spec", "selector")), "spec.selector"
    )


def check_replica_set(obj: Object) -> Iterator[Cause]:
    """What is wrong with a ReplicaSet."""
    spec = obj.get("spec") or {}
    for key in ("replicas", "minReadySeconds"):
        yield from not_negative(spec.get(key), f"spec.{key}")
    yield from _selected_template(spec, "deployment")


def check_replica_set_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a ReplicaSet: the selector is for ever."""
    yield from check_replica_set(new)
    yield from unchanged(
        as_declared(get(new, "spec", "selector")), as_declared(get(old, "spec", "selector")), "spec.selector"
    )


def check_replication_controller(obj: Object) -> Iterator[Cause]:
    """What is wrong with a ReplicationController: its selector is a plain map."""
    spec = obj.get("spec") or {}
    selector, template = spec.get("selector") or {}, spec.get("template")
    yield from not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    if not selector:
        yield required("spec.selector")
    yield from not_negative(spec.get("replicas"), "spec.replicas")
    if template is None:
        yield required("spec.template")
        return
    labels = get(template, "metadata", "labels")
    if selector and any((labels or {}).get(key) != value for key, value in selector.items()):
        yield invalid("spec.template.metadata.labels", labels, _NO_MATCH)
    yield from check_template(template, "spec.template")
    yield from _restarts(template, "ReplicationController")


def check_daemon_set(obj: Object) -> Iterator[Cause]:
    """What is wrong with a DaemonSet."""
    spec = obj.get("spec") or {}
    yield from _selected_template(spec, "daemonset")
    yield from not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    strategy = spec.get("updateStrategy") or {}
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "RollingUpdate":
        if rolling is None:
            yield required("spec.updateStrategy.rollingUpdate")
        else:
            at = "spec.updateStrategy.rollingUpdate"
            for judge in (int_or_percent, at_most_all):
                for key in ("maxUnavailable", "maxSurge"):
                    yield from judge(rolling.get(key), f"{at}.{key}")
            unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
            if is_zero(unavailable) and is_zero(surge):
                yield required(f"{at}.maxUnavailable", "cannot be 0 when maxSurge is 0")
            elif not is_zero(unavailable) and not is_zero(surge):
                yield invalid(
                    f"{at}.maxSurge", rolling.get("maxSurge"), "may not be set when maxUnavailable is non-zero"
                )
    elif kind != "OnDelete":
        dump = _internal(kind, rolling, _DEPLOYMENT_NAMES)
        yield not_supported("spec.updateStrategy", dump, ("RollingUpdate", "OnDelete"))
    yield from not_negative(spec.get("revisionHistoryLimit"), "spec.revisionHistoryLimit")


def check_daemon_set_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a DaemonSet: the selector is for ever."""
    yield from unchanged(
        as_declared(get(new, "spec", "selector")), as_declared(get(old, "spec", "selector")), "spec.selector"
    )
    yield from check_daemon_set(new)


def check_stateful_set(obj: Object) -> Iterator[Cause]:
    """What is wrong with a StatefulSet."""
    yield from _stateful_spec(obj, new=True)


def _stateful_spec(obj: Object, *, new: bool) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    policy = spec.get("podManagementPolicy") or ""
    if not policy:
        yield required("spec.podManagementPolicy")
    elif policy not in ("OrderedReady", "Parallel"):
        yield invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    yield from _stateful_strategy(spec.get("updateStrategy") or {})
    for key in ("whenDeleted", "whenScaled"):
        at = f"spec.persistentVolumeClaimRetentionPolicy.{key}"
        yield from one_of(get(spec, "persistentVolumeClaimRetentionPolicy", key), ("Retain", "Delete"), at)
    for index, claim in items(obj, "spec", "volumeClaimTemplates") if new else ():
        yield from check_claim_spec(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{index}].spec")
    for key in ("replicas", "minReadySeconds"):
        yield from not_negative(spec.get(key), f"spec.{key}")
    yield from not_negative(get(spec, "ordinals", "start"), "spec.ordinals.start")
    service = spec.get("serviceName") if new else None
    if service:
        yield from (invalid("spec.serviceName", service, text) for text in dns_label(service))
    yield from _selected_template(spec, "statefulset")


def _stateful_strategy(strategy: Object) -> Iterator[Cause]:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    at = "spec.updateStrategy"
    if not kind:
        yield required(at)
    elif kind == "RollingUpdate":
        yield from not_negative(get(rolling, "partition"), f"{at}.rollingUpdate.partition")
    elif kind == "OnDelete":
        if rolling is not None:
            dump = _internal(kind, rolling, _STATEFUL_NAMES)["RollingUpdate"]
            yield invalid(f"{at}.rollingUpdate", dump, "only allowed for updateStrategy 'RollingUpdate'")
    else:
        yield invalid(at, _internal(kind, rolling, _STATEFUL_NAMES), "must be 'RollingUpdate' or 'OnDelete'")


def check_stateful_set_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a StatefulSet: most of its spec is for ever."""
    yield from _stateful_spec(new, new=False)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    fixed = (set(spec) | set(before)) - set(_STATEFUL_FIELDS)
    if any(spec.get(key) != before.get(key) for key in fixed):
        yield forbidden("spec", _STATEFUL_FIXED)


def check_revision(obj: Object) -> Iterator[Cause]:
    """What is wrong with a ControllerRevision."""
    yield from not_negative(obj.get("revision"), "revision")
    data = obj.get("data")
    if data is None:
        yield required("data", "data is mandatory")
    elif not isinstance(data, dict):
        yield required("data", "data must be a valid JSON object")


def check_revision_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a ControllerRevision: its data is for ever."""
    yield from not_negative(new.get("revision"), "revision")
    yield from unchanged(new.get("data"), old.get("data"), "data")
