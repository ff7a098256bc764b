"""SyncOption: one option of a sync, and in what of it the option has a say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kilde.core.basics.values import Object
from kilde.core.objects.ref import ObjectRef
from kilde.core.objects.typed.node import Node
from kilde.core.plan.ignore import IgnoreRule
from kilde.core.plan.policy import SyncPolicy

Condition = tuple[str, str]  # its type and its text


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What an option is told of an object that is there and is to be written. `whole`: what Git does not have goes (`Replace=true`)."""

    ref: ObjectRef
    wanted: Object
    live: Object
    node: Node
    manager: str  # who applies: ours
    policy: SyncPolicy
    ignore: Sequence[IgnoreRule]
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOption:
    """An option by its name. None: it has no say in that.

    `manifest`: what is written in place of what Git has. `ownership`: the managedFields that the object gets before it is applied (None:
    as they are). Both are asked of every sync, and look themselves whether the option is on. `refusal`: why an operation that names it
    ends, with these conditions, before it begins ("": it begins). An option without any of them is a word that other parts ask for
    (`SyncPolicy.asks`).
    """

    name: str
    manifest: Callable[[Writing], Object] | None = None
    ownership: Callable[[Writing], list[Object] | None] | None = None
    refusal: Callable[[Sequence[Condition]], str] | None = None
