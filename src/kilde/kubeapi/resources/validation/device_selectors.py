"""Device selectors: what the CEL of a claim or class may name, give and cost (upstream: dynamic-resource-allocation/cel)."""

from collections.abc import Iterator
from dataclasses import dataclass

from kilde.core.objects.cel.expressions import BadExpression, Scope, typed
from kilde.core.objects.cel.types import ANY, BOOL, STRING, read, struct
from kilde.kubeapi.resources.causes import Cause, forbidden, internal, invalid
from kilde.kubeapi.resources.custom.cost import cost_of
from kilde.kubeapi.resources.custom.declared import Declared

_NAME = "kubernetes.DRADevice"
_MOST_COST, _MOST_PARTS = 1_000_000, 32
_FIELDS = {
    "driver": STRING,
    "attributes": read("map(string,map(string,any))"),
    "capacity": read("map(string,map(string,Quantity))"),
    "allowMultipleAllocations": BOOL,
}
_SCOPE = Scope({"device": struct(_NAME)}, {_NAME: _FIELDS})


@dataclass(frozen=True)
class _Map(Declared):
    """A map whose keys are of a size, too. `named`: its values are found by any name."""

    key: Declared | None = None
    named: bool = False

    def below(self, step: str) -> Declared | None:
        if step == "@keys":
            return self.key
        return self.item if self.named and not step.startswith("@") else super().below(step)


def _by_domain(item: Declared, *, named: bool = False) -> Declared:
    inner = _Map("map", _MOST_PARTS, item=item, key=Declared("string", 32), named=named)
    return _Map("map", _MOST_PARTS, item=inner, key=Declared("string", 63))


_DEVICE = Declared(
    "object",
    fields={
        "driver": Declared("string", 63),
        "attributes": _by_domain(Declared("any", 64), named=True),
        "capacity": _by_domain(Declared("quantity")),
        "allowMultipleAllocations": Declared("bool", 1),
    },
)


def check_device_expression(text: str, at: str) -> Iterator[Cause]:
    """What is wrong with the expression of a selector."""
    try:
        made = typed(text, _SCOPE, binds=True)
    except BadExpression as error:
        yield invalid(at, text, f"compilation failed: {error.what}")
        return
    if made.gives not in (BOOL, ANY):
        yield invalid(at, text, f"must evaluate to bool or the unknown type, not {made.gives.told}")
    elif made.fault:
        yield internal(at, f"program instantiation failed: {made.fault}")
    elif cost_of(made.tree, _DEVICE, "device") > _MOST_COST:
        yield forbidden(at, "too complex, exceeds cost limit")
