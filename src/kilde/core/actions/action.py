"""Actions as values: what is offered for an object, and what running one would write. The words are those of Argo CD's resource actions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from kilde.core.basics.values import Object


@dataclass(frozen=True, slots=True)
class Offered:
    """An action that an object has, whether it can be run now, and what it asks for."""

    name: str
    disabled: bool = False
    title: str = ""
    icon: str = ""
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Impact:
    """One object as the action leaves it, or makes it."""

    operation: Literal["patch", "create"]
    body: Object


@dataclass(frozen=True, slots=True)
class Call:
    """What an action is run with: the parameters that were given, and the time (seconds since 1970)."""

    parameters: Mapping[str, str]
    now: float


def always(obj: Object) -> bool:
    del obj
    return True


def never(obj: Object) -> bool:
    del obj
    return False


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """An action that we know. `change` alters a copy of the object, or gives an object to make; it raises InvalidInput."""

    name: str
    change: Callable[[Object, Call], Object | None]
    title: str = ""
    icon: str = ""
    parameters: tuple[str, ...] = ()
    offered: Callable[[Object], bool] = always
    disabled: Callable[[Object], bool] = never

    def shown(self, obj: Object) -> Offered:
        return Offered(self.name, self.disabled(obj), self.title, self.icon, self.parameters)
