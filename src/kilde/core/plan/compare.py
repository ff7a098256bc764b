"""Desired against live, without a request: what a server-side apply would store is worked out here and compared with what is there.

The prediction is the server's own algorithm (merge by schema and ownership, then defaulting), so a field nobody in Git names
is left alone, a field we set before and no longer want goes, and what defaulting adds is no difference.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects.defaults import apply_defaults
from kilde.core.objects.pointer import readable
from kilde.core.objects.typed.errors import BadApply, TypingError
from kilde.core.objects.typed.last_applied import forgotten
from kilde.core.objects.typed.managed_fields import apply
from kilde.core.objects.typed.node import DEDUCED, Node
from kilde.core.objects.typed.yielding import as_live, fields_of
from kilde.core.plan.change import ABSENT, MASKED, FieldChange
from kilde.core.plan.difference import Path, differences, writer_of
from kilde.core.plan.ignore import Where, drop
from kilde.core.plan.masking import is_secret

MANAGER = "kilde"
_SERVERS_OWN = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether an object is as Git wants it, and if not, where. `predicted` is what an apply would leave."""

    in_sync: bool
    fields: tuple[FieldChange, ...] = ()
    predicted: Object = field(default_factory=dict)
    problem: str = ""
    rewrites: bool = False  # what ignoreDifferences leaves out differs all the same


def compare(
    wanted: Object,
    live: Object,
    *,
    node: Node | None,
    pointers: Iterable[Where] = (),
    managers: frozenset[str] = frozenset(),
) -> Comparison:
    """What differs, field by field. `pointers` and `managers` are what ignoreDifferences leaves alone."""
    try:
        predicted = predict(wanted, live, node=node)
    except (BadApply, TypingError) as error:
        return Comparison(False, problem=error.what)
    pointers, there, here = tuple(pointers), _comparable(live), _comparable(predicted)
    yielded = fields_of(managers, live, predicted, node=node or DEDUCED, but=MANAGER) if managers else {}
    old, new = drop(there, pointers), drop(as_live(here, there, yielded, node=node or DEDUCED), pointers)
    if old == new:
        return Comparison(True, predicted=predicted, rewrites=bool(pointers or yielded) and there != here)
    secret = is_secret(wanted)
    fields = tuple(
        change
        for path, there, here in differences(old, new)
        if (change := _change(live, path, there, here, secret=secret)) is not None
    )
    return Comparison(not fields, fields, predicted, rewrites=not fields and bool(yielded))


def predict(wanted: Object, live: Object, *, node: Node | None) -> Object:
    """What the server would store if `wanted` were applied now. Raises TypingError where it would refuse the config."""
    config = {key: value for key, value in wanted.items() if key != "status"}
    version = str(wanted.get("apiVersion", ""))
    base = forgotten(node or DEDUCED, live, config) or live
    found = apply(base, config, node=node or DEDUCED, manager=MANAGER, force=True, api_version=version, now="")
    return apply_defaults(found.object) if found.changed or base is not live else live


def _comparable(body: Object) -> Object:
    out = {key: value for key, value in body.items() if key != "status"}
    meta = {key: value for key, value in (body.get("metadata") or {}).items() if key not in _SERVERS_OWN and value}
    return {**out, "metadata": meta}


def _change(live: Object, path: Path, there: Any, here: Any, *, secret: bool) -> FieldChange | None:
    if _says_nothing(there) and _says_nothing(here):
        return None
    why = "no longer in Git" if here is ABSENT else ("not there" if there is ABSENT else "differs from Git")
    if secret and path and path[0] in ("data", "stringData"):
        there = there if there is ABSENT else MASKED
        here = here if here is ABSENT else MASKED
    return FieldChange(readable(path), there, here, why, writer_of(live, path, but=MANAGER))


def _says_nothing(value: Any) -> bool:
    """A server keeps null for what was empty (the rules of a role), or leaves it out."""
    return value is ABSENT or value in (None, {}, [])
