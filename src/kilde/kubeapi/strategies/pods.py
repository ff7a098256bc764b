"""Pods: what admission adds to each (ServiceAccount, Priority, DefaultTolerationSeconds)."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.strategies import app_armor
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World

_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a mount path
_MIRROR = "kubernetes.io/config.mirror"
_APP_ARMOR_FIELDS = 34  # before, the fields are copied to annotations, too
_CLASSES = "priorityclasses.scheduling.k8s.io"


_GATED: Object = {
    "type": "PodScheduled",
    "status": "False",
    "lastProbeTime": None,
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


class Pods(Strategy):
    """Runs the plug-ins in the order of a real server's."""

    def admit_new(self, world: World, call: Call, obj: Object) -> None:
        if not isinstance(obj.get("spec"), dict):
            return
        _service_account(world, call, obj)
        _priority(world, call, obj)
        _runtime_class(world, call, obj)
        _tolerations(obj["spec"])

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        spec = obj.get("spec") or {}
        obj["status"] = {"phase": "Pending", "qosClass": qos_class(spec)}
        if spec.get("schedulingGates"):
            obj["status"]["conditions"] = [_GATED | {"lastTransitionTime": call.memory.once("now", world.now)}]
        for text in app_armor.settle(obj, both_ways=world.release.number < _APP_ARMOR_FIELDS):
            call.warn(text)

    def admit(self, world: World, call: Call, new: Object, old: Object | None) -> None:
        spec = new.get("spec") or {}
        if old is None and spec.get("overhead") and not spec.get("runtimeClassName"):
            why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            raise failures.forbidden(call.kind.about(str(new["metadata"].get("name") or "")), why)

    def prepare_change(self, world: World, call: Call, new: Object, old: Object) -> None:
        spec, former = new.get("spec"), old.get("spec") or {}
        if not call.subresource and isinstance(spec, dict):
            for key in ("priority", "preemptionPolicy"):
                if spec.get(key) is None and former.get(key) is not None:
                    spec[key] = former[key]
            _tolerations(spec)
        status = new.setdefault("status", {})
        before = (old.get("status") or {}).get("qosClass")
        if before and not status.get("qosClass"):
            new["status"] = {**status, "qosClass": before}

    def problems(self, world: World, call: Call, new: Object, old: Object | None) -> list[Cause]:
        if call.subresource != "resize" or old is None:
            return []
        found = []
        if qos_class(new["spec"]) != qos_class(old["spec"]):
            shown = failures.quoted((old.get("status") or {}).get("qosClass") or qos_class(old["spec"]))
            why = "Pod QOS Class may not change as a result of resizing"
            found.append(failures.cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", "spec"))
        if not _resizes(old.get("status") or {}):
            why = "Forbidden: Pod running on node without support for resize"
            found.append(failures.cause("FieldValueForbidden", why, "spec"))
        return found


def _resizes(status: Object) -> bool:
    """Whether the node can resize the pod: it tells what it has given to the first container that runs."""
    running = (one for one in status.get("containerStatuses") or () if (one.get("state") or {}).get("running"))
    first = next(running, None)
    return first is None or first.get("resources") is not None


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort, by the pod's own requests and limits, or else its containers' (core/helper/qos)."""
    own = spec.get("resources")
    judged = [spec] if own is not None else [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    counted = [_counted(one.get("resources") or {}) for one in judged]
    if not any(requests or limits for requests, limits in counted):
        return "BestEffort"
    guaranteed = all(
        set(limits) == {"cpu", "memory"} and all(requests.get(name, each) == each for name, each in limits.items())
        for requests, limits in counted
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _counted(resources: Object) -> tuple[Object, Object]:
    """The cpu and memory of requests and limits that are not zero."""

    def some(kind: str) -> Object:
        found = resources.get(kind) or {}
        return {
            name: found[name] for name in ("cpu", "memory") if str(found.get(name, "0")).strip("0.") not in ("", "m")
        }

    return some("requests"), some("limits")


def _about(call: Call, pod: Object) -> Named:
    """What a pod is called that is not admitted: it may have no name yet."""
    return call.kind.about(str(pod["metadata"].get("name") or pod["metadata"].get("generateName") or "Unknown"))


def _service_account(world: World, call: Call, pod: Object) -> None:
    spec, meta = pod["spec"], pod["metadata"]
    if _MIRROR in (meta.get("annotations") or {}):
        return
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    record = world.store.get(Key("serviceaccounts", call.namespace, name))
    if record is None:
        why = f'error looking up service account {call.namespace}/{name}: serviceaccount "{name}" not found'
        raise failures.forbidden(_about(call, pod), why)
    account = record.object()
    wanted = spec.get("automountServiceAccountToken")
    if wanted is None:
        wanted = account.get("automountServiceAccountToken")
    if wanted is not False:
        _mount_token(world, call, spec)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]


def _mount_token(world: World, call: Call, spec: Object) -> None:
    """A projected token, root certificate and namespace for each container that mounts nothing there itself."""
    volumes = list(spec.get("volumes") or [])
    present = next(
        (volume["name"] for volume in volumes if str(volume.get("name", "")).startswith("kube-api-access-")), None
    )
    name = present or f"kube-api-access-{call.memory.once('token', world.new_suffix)}"
    mounted = False
    for key in ("initContainers", "containers"):
        containers = []
        for container in spec.get(key) or []:
            mounts = container.get("volumeMounts") or []
            if not any(mount.get("mountPath") == _TOKEN_PATH for mount in mounts):
                mounted = True
                mount = {"name": name, "readOnly": True, "mountPath": _TOKEN_PATH}
                container = {**container, "volumeMounts": [*mounts, mount]}
            containers.append(container)
        if containers:
            spec[key] = containers
    if mounted and present is None:
        spec["volumes"] = [*volumes, _token_volume(name)]


def _token_volume(name: str) -> Object:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 420}}


def _priority(world: World, call: Call, pod: Object) -> None:
    spec, name = pod["spec"], pod["spec"].get("priorityClassName") or ""
    about = _about(call, pod)
    value, policy = 0, "PreemptLowerPriority"
    if not name:
        found = _global_default(world)
        if found is not None:
            spec["priorityClassName"] = found["metadata"]["name"]
            value, policy = int(found["value"]), found.get("preemptionPolicy") or policy
    else:
        record = world.store.get(Key(_CLASSES, "", name))
        if record is None:
            raise failures.forbidden(about, f"no PriorityClass with name {name} was found")
        chosen = record.object()
        value, policy = int(chosen["value"]), chosen.get("preemptionPolicy") or policy
    if spec.get("priority") is not None and spec["priority"] != value:
        why = f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority admission controller"
        raise failures.forbidden(about, f"{why} computed {value} from the given PriorityClass name")
    given = spec.get("preemptionPolicy")
    if given is not None and given != policy:
        why = f"the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission controller"
        raise failures.forbidden(about, f"{why} computed {policy} from the given PriorityClass name")
    spec["priority"], spec["preemptionPolicy"] = value, policy


def _runtime_class(world: World, call: Call, pod: Object) -> None:
    spec, name = pod["spec"], pod["spec"].get("runtimeClassName")
    if name is None:
        return
    if not name:  # as there, where nobody has looked at it yet
        raise failures.unexplained("resource name may not be empty")
    about = _about(call, pod)
    record = world.store.get(Key("runtimeclasses.node.k8s.io", "", name))
    if record is None:
        raise failures.forbidden(about, f'pod rejected: RuntimeClass "{name}" not found')
    found = record.object()
    if found.get("overhead"):
        spec["overhead"] = found["overhead"].get("podFixed")
    scheduling = found.get("scheduling") or {}
    if scheduling.get("nodeSelector"):
        spec["nodeSelector"] = {**(spec.get("nodeSelector") or {}), **scheduling["nodeSelector"]}
    if scheduling.get("tolerations"):
        spec["tolerations"] = [*(spec.get("tolerations") or ()), *scheduling["tolerations"]]


def _global_default(world: World) -> Object | None:
    found = [record.object() for record in world.store.all(_CLASSES)]
    marked = [each for each in found if each.get("globalDefault")]
    return min(marked, key=lambda each: int(each["value"])) if marked else None


def _tolerations(spec: Object) -> None:
    """Five minutes on a node that is not ready or not reachable, unless the pod says otherwise."""
    found = list(spec.get("tolerations") or [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(_covers(each, key) for each in found):
            found.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    spec["tolerations"] = found


def _covers(toleration: Object, key: str) -> bool:
    return toleration.get("key") in (key, None, "") and toleration.get("effect") in ("NoExecute", None, "")
