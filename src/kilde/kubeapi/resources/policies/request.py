"""Request: what an admission policy is asked about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects.cel.authorizing import Authorizer, Decision, Wanted
from kilde.kubeapi.resources.kinds import Resource

# Policies and webhooks are not asked about themselves: nobody could take a wrong one back.
EXEMPT = frozenset(
    {
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
    }
)


Convert = Callable[[Object, Resource], Object]
"""(object, resource) → the object as that resource shows it."""


def _refused(wanted: Wanted) -> Decision:
    return Decision(allowed=False)


_NOBODY = Authorizer(_refused, lambda namespace, name: _refused)


def _as_it_is(obj: Object, resource: Resource) -> Object:
    return obj


@dataclass(frozen=True)
class Request:
    """A write. `object` is what would be stored (None: a DELETE), `old` what is (None: a CREATE), `namespace` the Namespace object.

    `operation` is CREATE, UPDATE, DELETE or CONNECT; `kind` the (group, version, kind) of the body: the resource's own, but for some
    sub-resources. `others` are the resources that show the same objects, `convert` makes what they show, and `shown` is the one that
    the objects are in now, if it is not `resource`. `authorizer` has the rights of who asks.
    """

    operation: str
    resource: Resource
    name: str
    object: Object | None
    old: Object | None
    namespace: Object | None = None
    sub_resource: str = ""
    user: str = ""
    uid: str = ""
    groups: Sequence[str] = ()
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)
    dry_run: bool = False
    kind: tuple[str, str, str] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    others: Sequence[Resource] = ()
    convert: Convert = _as_it_is
    shown: Resource | None = None
    authorizer: Authorizer = _NOBODY

    @property
    def namespace_name(self) -> str:
        """The name of the namespace; "" where there is none. A namespace is taken to be in itself."""
        if self.resource.kind == "Namespace" and not self.resource.group:
            return self.name
        return str(((self.namespace or {}).get("metadata") or {}).get("name", ""))

    def shown_as(self, resource: Resource) -> "Request":
        """The same request with its objects as another resource shows them."""
        if resource is (self.shown or self.resource):
            return self
        made = replace(self, shown=None if resource is self.resource else resource)
        if self.kind is not None:
            return made  # the body is of a kind of its own
        found, old = (one and self.convert(one, resource) for one in (self.object, self.old))
        return replace(made, object=found, old=old)

    @property
    def as_variable(self) -> Object:
        """`request`, as expressions see it (admission.k8s.io/v1 AdmissionRequest)."""
        place, body = _words(self.shown or self.resource, self.kind)
        asked_place, asked_body = _words(self.resource, self.kind)
        sub, name, namespace = self.sub_resource, self.name, self.namespace_name
        return {
            "kind": body,
            "resource": place,
            "requestKind": asked_body,
            "requestResource": asked_place,
            **_given(subResource=sub, requestSubResource=sub, name=name, namespace=namespace),
            "operation": self.operation,
            "userInfo": _given(username=self.user, uid=self.uid, groups=list(self.groups), extra=dict(self.extra)),
            "dryRun": self.dry_run,
            "options": dict(self.options),
        }


def _given(**fields: Any) -> Object:
    """Without what is empty: expressions see no such field then."""
    return {key: value for key, value in fields.items() if value}


def _words(resource: Resource, kind: tuple[str, str, str] | None) -> tuple[Object, Object]:
    group, version, name = kind or (resource.group, resource.version, resource.kind)
    place = {"group": resource.group, "version": resource.version, "resource": resource.plural}
    return place, {"group": group, "version": version, "kind": name}
