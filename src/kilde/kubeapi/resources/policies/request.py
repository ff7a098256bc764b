"""Request: what an admission policy is asked about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kilde.core.basics.values import Object
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


@dataclass(frozen=True)
class Request:
    """A write. `object` is what would be stored (None: a DELETE), `old` what is (None: a CREATE), `namespace` the Namespace object.

    `operation` is CREATE, UPDATE, DELETE or CONNECT; `kind` the (group, version, kind) of the body: the resource's own, but for some
    sub-resources.
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

    @property
    def as_variable(self) -> Object:
        """`request`, as expressions see it (admission.k8s.io/v1 AdmissionRequest)."""
        resource = self.resource
        group, version, kind = self.kind or (resource.group, resource.version, resource.kind)
        body = {"group": group, "version": version, "kind": kind}
        place = {"group": resource.group, "version": resource.version, "resource": resource.plural}
        return {
            "kind": body,
            "resource": place,
            "subResource": self.sub_resource,
            "requestKind": body,
            "requestResource": place,
            "requestSubResource": self.sub_resource,
            "name": self.name,
            "namespace": ((self.namespace or {}).get("metadata") or {}).get("name", ""),
            "operation": self.operation,
            "userInfo": {
                "username": self.user,
                "uid": self.uid,
                "groups": list(self.groups),
                "extra": dict(self.extra),
            },
            "dryRun": self.dry_run,
            "options": dict(self.options),
        }
