"""Validation of the CEL expressions of policies and webhooks."""

from collections.abc import Iterator

from kilde.core.basics.values import Json, Object
from kilde.core.objects.cel.expressions import BadExpression, available
from kilde.core.objects.cel.types import BOOL, Type
from kilde.kubeapi.resources.causes import Cause, internal, invalid, required, too_many
from kilde.kubeapi.resources.policies.names import Names, compiled
from kilde.kubeapi.resources.validation.fields import items
from kilde.kubeapi.resources.validation.names import qualified_name

_MOST_CONDITIONS = 64


def check_conditions(owner: Object, at: str, names: Names) -> Iterator[Cause]:
    """Match conditions: each has a name of its own and an expression."""
    seen: set[str] = set()
    if len(owner.get("matchConditions") or ()) > _MOST_CONDITIONS:
        yield too_many(at, len(owner["matchConditions"]), _MOST_CONDITIONS)
    for index, one in items(owner, "matchConditions"):
        where, name = f"{at}[{index}]", one.get("name") or ""
        yield from check_expression((one.get("expression") or "").strip(), f"{where}.expression", names, missing="")
        if not name:
            yield required(f"{where}.name")
        else:
            yield from (invalid(f"{where}.name", name, text) for text in qualified_name(name))
        if name and name in seen:
            yield Cause(f"{where}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"')
        seen.add(name)


def check_expression(
    text: Json,
    at: str,
    names: Names,
    wanted: tuple[Type, ...] = (BOOL,),
    *,
    missing: str = "expression is not specified",
    told: Json = None,
) -> Iterator[Cause]:
    """An expression must be there, compile and give one of the types `wanted` (none: any). `told` is how it is quoted, if not as it is."""
    if not (text or "").strip():
        yield required(at, missing)
    elif available():
        shown = text if told is None else told
        try:
            made = compiled(str(text), names)
        except BadExpression as error:
            yield invalid(at, shown, f"compilation failed: {error.what}")
            return
        if wanted and made.gives not in wanted:
            several = f"one of [{' '.join(one.told for one in wanted)}]" if len(wanted) > 1 else wanted[0].told
            yield invalid(at, shown, f"must evaluate to {several} but got {made.gives.told}")
        elif made.fault:
            yield internal(at, f"program instantiation failed: {made.fault}")
