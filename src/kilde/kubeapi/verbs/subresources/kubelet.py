"""What a kubelet answers for a pod: log, exec, attach, portforward. Nothing runs here: logs are made up, nothing is entered."""

from dataclasses import dataclass, replace

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.controllers.rules import pod_steps
from kilde.kubeapi.controllers.script import script_from
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import failures, options
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.logic.options import Query
from kilde.kubeapi.logic.pod_log import Chosen, Instance, Line, Wish, instance_of, lines_of, status_of
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


class WorldView:
    """What the store has, as the rules of a simulation look at it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        kind = self._world.kinds.named(resource)
        found = self._world.find(kind, namespace, name) if kind is not None else None
        return found.object() if found is not None else None

    def every(self, resource: str, namespace: str | None = None) -> list[Object]:
        return [record.object() for record in self._world.store.all(resource, namespace or "")]


@dataclass(frozen=True, slots=True)
class Log:
    """The log of one life of a container. `over`: nothing more will come."""

    pod: Object
    container: Object
    life: Instance
    over: bool

    def lines(self, world: World) -> list[Line]:
        """Everything it has written until now."""
        script = script_from(pod_steps(self.pod, WorldView(world), self.container))
        return lines_of(self.pod, self.container, self.life, Wish(script.log, script.log_every), world.time())

    def again(self, world: World, call: Call) -> "Log":
        """The same life as it is now; over when it has ended, been followed by another, or its pod is gone."""
        record = world.find(call.kind, call.namespace, call.name)
        pod = record.object() if record is not None else None
        if pod is None or pod["metadata"]["uid"] != self.pod["metadata"]["uid"]:
            return replace(self, over=True)
        status = status_of(pod, self.container["name"]) or {}
        now, before = instance_of(status, previous=False), instance_of(status, previous=True)
        life = next((one for one in (now, before) if one is not None and one.number == self.life.number), None)
        if life is None:
            return replace(self, over=True)
        return Log(pod, self.container, life, life.ended is not None)


def log(world: World, call: Call, query: Query) -> Log | None:
    """The log of a container; None where the pod has no node yet. 400 while the container waits to start."""
    check_log_options(call, query)
    pod = pod_of(world, call)
    name = container_of(pod, options.first(query, "container"))
    if not (pod.get("spec") or {}).get("nodeName"):
        return None
    status = status_of(pod, name) or {}
    previous = options.flag(query, "previous")
    life = instance_of(status, previous=previous)
    if life is None and previous:
        raise failures.bad_request(f'previous terminated container "{name}" in pod "{call.name}" not found')
    if life is None:
        shown = ((status.get("state") or {}).get("waiting") or {}).get("reason") or "ContainerCreating"
        told = "trying and failing to pull image" if "Image" in shown else shown
        raise failures.bad_request(f'container "{name}" in pod "{call.name}" is waiting to start: {told}')
    spec = pod["spec"]
    every = [*spec["containers"], *(spec.get("initContainers") or ()), *(spec.get("ephemeralContainers") or ())]
    return Log(pod, next(one for one in every if one["name"] == name), life, life.ended is not None)


def chosen(call: Call, query: Query, now: float) -> Chosen:
    """Which lines the query asks for. 422 for options that contradict themselves."""
    check_log_options(call, query)
    seconds, time = options.integer(query, "sinceSeconds"), options.first(query, "sinceTime")
    since = now - seconds if seconds is not None else parse(time) if time else None
    tail, limit = options.integer(query, "tailLines"), options.integer(query, "limitBytes")
    return Chosen(since, tail, limit, options.flag(query, "timestamps"))


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
    if "stream" in query:  # its feature is off by default
        causes.append(failures.cause("FieldValueForbidden", "Forbidden: may not be specified", "stream"))
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
