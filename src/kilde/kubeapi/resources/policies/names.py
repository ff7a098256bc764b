"""Names: what the expressions of a policy can name, of which types, and how they are compiled (apiserver, pkg/admission/plugin/cel)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kilde.core.objects.cel.expressions import BadExpression, Expression, Scope, typed
from kilde.core.objects.cel.types import DYN, SIMPLE, Type, list_of, map_of, read, struct

_TEXT = "string"
_STRUCTS: Mapping[str, Mapping[str, str]] = {
    "GroupVersionKind": dict.fromkeys(("group", "version", "kind"), _TEXT),
    "GroupVersionResource": dict.fromkeys(("group", "version", "resource"), _TEXT),
    "UserInfo": {"username": _TEXT, "uid": _TEXT, "groups": "list(string)", "extra": "map(string,list(string))"},
    "AdmissionRequest": {
        **dict.fromkeys(("subResource", "requestSubResource", "name", "namespace", "operation"), _TEXT),
        **dict.fromkeys(("kind", "requestKind"), "GroupVersionKind"),
        **dict.fromkeys(("resource", "requestResource"), "GroupVersionResource"),
        "userInfo": "UserInfo",
        "dryRun": "bool",
        "options": "dyn",
    },
    "NamespaceSpec": {"finalizers": "list(string)"},
    "NamespaceCondition": {
        **dict.fromkeys(("status", "type", "message", "reason"), _TEXT),
        "lastTransitionTime": "timestamp",
    },
    "NamespaceStatus": {"phase": _TEXT, "conditions": "list(NamespaceCondition)"},
    "NamespaceMetadata": {
        **dict.fromkeys(("name", "generateName", "namespace", "UID", "resourceVersion"), _TEXT),
        **dict.fromkeys(("labels", "annotations"), "map(string,string)"),
        **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), "timestamp"),
        **dict.fromkeys(("deletionGracePeriodSeconds", "generation"), "int"),
        "finalizers": "list(string)",
    },
    "Namespace": {"metadata": "NamespaceMetadata", "spec": "NamespaceSpec", "status": "NamespaceStatus"},
}
VARIABLES = "kubernetes.variables"
"""The type of `variables`."""
ALWAYS = {"request": struct("kubernetes.AdmissionRequest"), "namespaceObject": struct("kubernetes.Namespace")}
"""What every expression of a policy can name, of types that are the same for all."""


def _typed(text: str) -> Type:
    found = read(text)
    return _named(found)


def _named(one: Type) -> Type:
    if one.kind == "param":
        return struct(f"kubernetes.{one.name}")
    return one._replace(params=tuple(map(_named, one.params)))


FIELDS = {f"kubernetes.{name}": {key: _typed(one) for key, one in fields.items()} for name, fields in _STRUCTS.items()}
"""The fields of those types."""


@dataclass(frozen=True, slots=True)
class Names:
    """What there is beside the object, the request and its namespace.

    `variables` are the policy's own (name, expression), each of which sees those before it; None: nothing is called so. `patches`: an
    expression may make objects and JSON patches.
    """

    variables: tuple[tuple[str, str], ...] | None = None
    params: bool = True
    authorizer: bool = True
    patches: bool = False

    @classmethod
    def of(cls, variables: Iterable[Mapping[str, Any]], **more: bool) -> "Names":
        """Those of a policy with these variables, as its spec has them."""
        told = tuple((str(one.get("name") or ""), str(one.get("expression") or "")) for one in variables)
        return cls(told or None, **more)

    def before(self, place: int) -> "Names":
        """What the variable at this place sees."""
        return Names((self.variables or ())[:place], self.params, self.authorizer, self.patches)


@lru_cache(maxsize=1024)
def compiled(text: str, names: Names) -> Expression:
    """An expression that can name these. BadExpression."""
    known = dict.fromkeys(("object", "oldObject", *(["params"] if names.params else [])), DYN)
    known |= ALWAYS
    if names.authorizer:
        known |= {"authorizer": read("Authorizer"), "authorizer.requestResource": read("ResourceCheck")}
    structs = dict(FIELDS)
    if names.variables is not None:
        known["variables"] = struct(VARIABLES)
        pairs = enumerate(names.variables)
        structs[VARIABLES] = {name: _told(text_of, names.before(place)) for place, (name, text_of) in pairs}
    return typed(text, Scope(known, structs, names.patches))


def _told(text: str, names: Names) -> Type:
    try:
        return plain(compiled(text, names).gives)
    except BadExpression:
        return DYN


def plain(one: Type) -> Type:
    """What is known of a variable that gives this: what is neither simple nor made of that may be anything."""
    if one.kind == "list":
        return list_of(plain(one.params[0]))
    if one.kind == "map":
        return map_of(*map(plain, one.params))
    return one if one.kind in (*SIMPLE, "null") else DYN
