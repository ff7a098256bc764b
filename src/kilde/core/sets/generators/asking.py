"""What every generator works with: the set it belongs to, the world to ask, the templates to fill."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.sets.application_set import ApplicationSet
from kilde.core.sets.failures import GeneratorFailed
from kilde.core.sets.outside import Outside
from kilde.core.sets.parameters import Parameters
from kilde.core.sets.policy import SetsPolicy
from kilde.core.sets.templates import Filler

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One generation. `children` gives the parameters of an entry inside of matrix and merge."""

    owner: ApplicationSet
    outside: Outside
    filler: Filler
    policy: SetsPolicy
    children: Callable[["Asking", Spec, Parameters], list[Parameters]]

    def values(self, spec: Spec, parameters: Parameters) -> Parameters:
        """The parameters with the generator's own `values`."""
        return self.filler.with_values(texts(spec, "values"), parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """One kind of generator. `requeue`: seconds after which it is asked again where the set does not say (0: only when told; None: as
    the installation says of all)."""

    give: Callable[[Spec, Asking], list[Parameters]]
    requeue: float | None = 0.0
    nests: bool = False


def texts(spec: Spec, key: str) -> dict[str, str]:
    """A map of texts; empty where it is not written."""
    found = spec.get(key) or {}
    if not isinstance(found, Mapping):
        raise GeneratorFailed(f"{key}: must be an object")
    return {str(name): str(value) for name, value in found.items()}


def text(spec: Spec, key: str) -> str:
    return str(spec.get(key) or "")


def items(spec: Spec, key: str) -> list[Any]:
    found = spec.get(key) or []
    if not isinstance(found, list):
        raise GeneratorFailed(f"{key}: must be a list")
    return found
