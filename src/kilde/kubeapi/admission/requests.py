"""What policies and webhooks are told of a write."""

from collections.abc import Callable
from typing import TypeVar

from kilde.core.basics.values import Object, canonical
from kilde.core.objects.cel.authorizing import Authorizer, Decision, Wanted
from kilde.core.objects.unchanged import unmarked
from kilde.kubeapi.aside import on_loop
from kilde.kubeapi.call import Call, User
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic.rbac import Attributes
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.patience import Patience
from kilde.kubeapi.resources.policies import Request
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.world import World

# Sub-resources whose body is of a kind of its own: (group, version, kind).
_BODIES = {
    "scale": ("autoscaling", "v1", "Scale"),
    "binding": ("", "v1", "Binding"),
    "eviction": ("policy", "v1", "Eviction"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
}
_T = TypeVar("_T")
_OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}


def request_of(world: World, call: Call, obj: Object | None, old: Object | None) -> Request:
    """The request to write `obj` (None: a DELETE) over `old` (None: a CREATE).

    It has no name where a collection is deleted, nor before one is made up.
    """
    namespace = world.store.get(Key("namespaces", "", call.namespace)) if call.namespace else None
    meta = (obj or {}).get("metadata") or {}
    operation = "DELETE" if obj is None else "CREATE" if old is None else "UPDATE"
    return Request(
        operation=operation,
        resource=call.kind.resource,
        name=call.name or str(meta.get("name") or ""),
        object=None if obj is None else unmarked(obj if call.subresource in _BODIES else call.kind.settled(obj)),
        old=old,
        namespace=namespace.object() if namespace else None,
        sub_resource=call.subresource,
        user=call.user.name,
        uid=call.user.uid,
        groups=call.user.groups,
        extra={key: list(values) for key, values in call.user.extra},
        options=_options(call, operation),
        dry_run=call.options.dry_run,
        kind=_BODIES.get(call.subresource),
        others=world.kinds.catalog.equivalents(call.kind.resource, call.subresource),
        convert=on_loop(lambda one, resource: call.kind.converted(one, kind_of(world, resource))),
        authorizer=_authorizer(world, call.user),
    )


def _authorizer(world: World, user: User) -> Authorizer:
    def ask_for(who: User) -> Callable[[Wanted], Decision]:
        def ask(wanted: Wanted) -> Decision:
            found = world.authorizer.decide(who, Attributes(*wanted))
            return Decision(found.allowed, found.reason or found.trouble)

        return ask

    return Authorizer(on_loop(ask_for(user)), lambda namespace, name: on_loop(ask_for(_account(namespace, name))))


def _account(namespace: str, name: str) -> User:
    """A service account as policies ask about it: nobody says that it has been authenticated."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return User(f"system:serviceaccount:{namespace}:{name}", groups)


def worked_out(world: World, call: Call, request: Request, about: object, does: Callable[[Patience], _T]) -> _T:
    """What expressions give about a request; those that cost much are worked out aside. Waits. `about` tells which they are."""

    def key() -> bytes:
        asked = [request.as_variable, request.object, request.old, request.namespace]
        return repr(about).encode() + canonical(asked)

    return world.aside.worked_out(key, does, call.memory)


def kind_of(world: World, resource: Resource) -> Kind:
    """The kind of a resource that is served."""
    kind = world.kinds.at(resource.group, resource.version, resource.plural)
    assert kind is not None
    return kind


def _options(call: Call, operation: str) -> Object:
    chosen = call.options
    found: Object = {"kind": _OPTIONS[operation], "apiVersion": "meta.k8s.io/v1"}
    if chosen.dry_run:
        found["dryRun"] = ["All"]
    if chosen.manager:
        found["fieldManager"] = chosen.manager
    if chosen.validation:
        found["fieldValidation"] = chosen.validation
    return found
