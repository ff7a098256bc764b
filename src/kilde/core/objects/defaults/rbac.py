"""Defaults of roles and bindings."""

from collections.abc import Callable, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.defaults.filling import fill

_RBAC = "io.k8s.api.rbac.v1."
_GROUP = "rbac.authorization.k8s.io"


def _role_reference(value: Object) -> None:
    if not value.get("apiGroup"):
        value["apiGroup"] = _GROUP


def _subject(value: Object) -> None:
    if value.get("kind") in ("User", "Group"):
        fill(value, "apiGroup", _GROUP)


DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    _RBAC + "RoleRef": _role_reference,
    _RBAC + "Subject": _subject,
}
