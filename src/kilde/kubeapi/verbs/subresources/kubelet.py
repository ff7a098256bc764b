"""What a kubelet answers for a pod: log, exec, attach, portforward. Pretended nodes run nothing, so there is nothing to say or enter."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import failures, options
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.logic.options import Query
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.verbs.admit import check_namespace
from kilde.kubeapi.world import World


def pod_of(world: World, call: Call) -> Object:
    """The pod; 404 if it is not there."""
    check_namespace(world, call)
    found = world.find(call.kind, call.namespace, call.name)
    if found is None:
        raise failures.not_found(call.kind.about(call.name))
    return found.object()


def container_of(pod: Object, name: str) -> str:
    """The container that is meant: the only one, or the one named. 400 if that is not clear."""
    spec, pod_name = pod.get("spec") or {}, pod["metadata"]["name"]
    plain = [str(each["name"]) for each in spec.get("containers") or ()]
    first = [str(each["name"]) for each in spec.get("initContainers") or ()]
    others = [str(each["name"]) for each in spec.get("ephemeralContainers") or ()]
    if not name:
        if len(plain) == 1 and not first:
            return plain[0]
        choice = f"choose one of: [{' '.join(plain)}]"
        if first:
            choice += f" or one of the init containers: [{' '.join(first)}]"
        raise failures.bad_request(f"a container name must be specified for pod {pod_name}, {choice}")
    if name not in (*plain, *first, *others):
        raise failures.bad_request(f"container {name} is not valid for pod {pod_name}")
    return name


def log(world: World, call: Call, query: Query) -> str | None:
    """The log of a container; None where the pod has no node yet. 400 while the container waits to start."""
    check_log_options(call, query)
    pod = pod_of(world, call)
    name = container_of(pod, options.first(query, "container"))
    if not (pod.get("spec") or {}).get("nodeName"):
        return None
    status = pod.get("status") or {}
    every = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    waiting = next(((each.get("state") or {}).get("waiting") for each in every if each.get("name") == name), None)
    if waiting and not any(each.get("lastState") for each in every if each.get("name") == name):
        shown = waiting.get("reason") or "ContainerCreating"
        told = "trying and failing to pull image" if "Image" in shown else shown
        raise failures.bad_request(f'container "{name}" in pod "{call.name}" is waiting to start: {told}')
    return ""


def check_log_options(call: Call, query: Query) -> None:
    """422 for options that contradict themselves."""
    causes: list[Cause] = []
    for field, least in (("tailLines", 0), ("sinceSeconds", 1), ("limitBytes", 1)):
        number = options.integer(query, field)
        if number is not None and number < least:
            told = "must be greater than or equal to 0" if least == 0 else "must be greater than 0"
            causes.append(failures.cause("FieldValueInvalid", f"Invalid value: {number}: {told}", field))
    if options.first(query, "sinceSeconds") and options.first(query, "sinceTime"):
        told = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        causes.append(failures.cause("FieldValueForbidden", told, "[]"))
    if causes:
        raise failures.invalid(Named("", "PodLogOptions", call.name), causes)


def enter(world: World, call: Call, query: Query) -> ApiError:
    """Why a pod cannot be entered or reached: 400 for a mistake, else 501."""
    pod = pod_of(world, call)
    if call.subresource != "portforward":
        container_of(pod, options.first(query, "container"))
    if not (pod.get("spec") or {}).get("nodeName"):
        return failures.bad_request(f"pod {call.name} does not have a host assigned")
    return ApiError(
        501, "NotImplemented", f"{call.subresource} is not served: pods of this cluster run on pretended nodes"
    )
