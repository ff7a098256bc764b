"""Type checks: what is wrong with a policy's expressions for the kinds it is about (apiserver, policy/validating/typechecking.go)."""

from collections.abc import Iterator, Mapping
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects.cel.checker import BadExpression, checked
from kilde.core.objects.cel.expressions import Scope, available
from kilde.core.objects.cel.types import DYN, Type, read, struct
from kilde.core.objects.ref import split_api_version
from kilde.core.objects.typed.schema import Kind
from kilde.kubeapi.resources.custom.declared import declared, type_of
from kilde.kubeapi.resources.policies.names import ALWAYS, FIELDS, VARIABLES, plain
from kilde.kubeapi.resources.policies.whole_schemas import Served

_MOST = 10  # kinds of one rule


def warnings(spec: Object, served: Served, serial: int) -> list[Object]:
    """The `expressionWarnings` of a policy with this spec. `serial` makes the names of types unlike those of other checks."""
    if not available():
        return []
    scopes = dict(_scopes(spec, served, serial))
    found = []
    for index, one in enumerate(spec.get("validations") or ()):
        for field in ("expression", "messageExpression"):
            told = _wrong(one.get(field) or "", scopes) if one.get(field) or field == "expression" else ""
            if told:
                found.append({"fieldRef": f"spec.validations[{index}].{field}", "warning": told})
    return found


def _wrong(text: str, scopes: Mapping[Kind, Scope]) -> str:
    """What is wrong with an expression for each of the kinds; empty if nothing is."""
    told = []
    for kind, scope in scopes.items():
        try:
            checked(text, scope)
        except BadExpression as error:
            told.append(f"{kind.group}/{kind.version}, Kind={kind.kind}: {error.what}\n")
    return "\n".join(told)


def _scopes(spec: Object, served: Served, serial: int) -> Iterator[tuple[Kind, Scope]]:
    """What an expression can name, and of which types, where the object is of each of the kinds."""
    structs: dict[str, Mapping[str, Type]] = dict(FIELDS)
    known = {**ALWAYS, "authorizer": read("Authorizer")}
    if spec.get("paramKind"):
        kind = Kind(*split_api_version(spec["paramKind"]["apiVersion"]), spec["paramKind"]["kind"])
        known["params"] = _type(served.schema(kind), f"{kind.kind}{serial}", structs)
    for place, kind in enumerate(sorted(_kinds(spec, served)), 1):
        schema, own = served.schema(kind), dict(structs)
        if schema is None:
            continue
        one = _type(schema, f"{kind.kind}{serial + place}", own)
        yield kind, _with_variables(spec, {**known, "object": one, "oldObject": one}, own)


def _type(schema: Any, name: str, structs: dict[str, Mapping[str, Type]]) -> Type:
    shape = None if schema is None else declared(schema, root=True)
    return DYN if shape is None else type_of(shape, name, structs)


def _with_variables(spec: Object, known: dict[str, Type], structs: dict[str, Mapping[str, Type]]) -> Scope:
    """With the policy's own variables, each of which sees those before it."""
    told: dict[str, Type] = {}
    structs[VARIABLES] = told
    scope = Scope({**known, "variables": struct(VARIABLES)}, structs)
    for one in spec.get("variables") or ():
        told[one["name"]] = _gives(one["expression"], scope)
    return scope


def _gives(text: str, scope: Scope) -> Type:
    try:
        tree = checked(text, scope)
    except BadExpression:
        return DYN
    return plain(tree.types[tree.root.id])


def _kinds(spec: Object, served: Served) -> set[Kind]:
    """The kinds that are looked at: of rules that name all of their groups and versions, no sub-resources."""
    found: set[Kind] = set()
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        groups, versions = (rule.get(key) or () for key in ("apiGroups", "apiVersions"))
        if any("*" in word for word in (*groups, *versions)):
            continue
        names = sorted(name for name in rule.get("resources") or () if not {"*", "/"} & set(name))
        places = [(group, version, name) for group in sorted(groups) for version in sorted(versions) for name in names]
        several = [kind for place in places for kind in served.kinds(*place)]
        found.update(several[:_MOST])
        if len(several) >= _MOST:
            break
    return found
