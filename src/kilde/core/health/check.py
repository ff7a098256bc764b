"""Check: what the registry holds for a kind."""

from collections.abc import Callable
from dataclasses import dataclass

from kilde.core.basics.values import Object
from kilde.core.health.health import Health


@dataclass(frozen=True, slots=True)
class Check:
    """How a kind is judged. `versions`: those the check reads (none named: any); `label`: the kind's name in errors."""

    judge: Callable[[Object], Health]
    versions: tuple[str, ...] = ()
    label: str = ""
