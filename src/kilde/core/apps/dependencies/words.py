"""What is said of waiting: the conditions of an application that waits or is held, and what they are read back for."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise

from kilde.core.basics.moment import parse, rfc3339

WAITING, REFUSED, HOLDING = "DependencyWaiting", "DependencyError", "DeletionWaiting"  # types of conditions
OVERRIDE = "kilde.dev/delete-despite-dependants"
_SINCE = re.compile(r"^waits since (\S+) for ")


def waiting_words(lacks: Mapping[str, str], since: float) -> str:
    """`waits since 2026-01-01T10:00:00Z for application db, which is Progressing; …`."""
    return f"waits since {rfc3339(since)} for " + "; ".join(f"{what}, which {lack}" for what, lack in lacks.items())


def waiting_since(status: Mapping[str, object]) -> float | None:
    """Since when an application waits, as its status tells; None where it does not."""
    conditions = status.get("conditions")
    for each in conditions if isinstance(conditions, list) else ():
        if isinstance(each, Mapping) and each.get("type") == WAITING:
            found = _SINCE.match(str(each.get("message") or ""))
            return parse(found[1]) if found else None
    return None


def is_waiting_message(message: str) -> bool:
    """Whether an operation's message says that it waits for dependencies: it has not begun."""
    return _SINCE.match(message) is not None


def drawn_cycle(way: tuple[str, ...], written: Callable[[str, str], str]) -> str:
    """`depends on itself: a → b → a (a: item 1, 'app/b'; b: item 2, …)`. `written`: where the edge between two of them stands."""
    edges = "; ".join(f"{a}: {written(a, b)}" for a, b in pairwise(way))
    return f"depends on itself: {' → '.join(way)} ({edges})"


def held_words(going: list[str], staying: list[str]) -> str:
    """Why a deletion is held: applications that depend on it go first, or stay."""
    if staying:
        names = ", ".join(staying)
        which = "depends on it and stays" if len(staying) == 1 else "depend on it and stay"
        how = f'delete {"it" if len(staying) == 1 else "them"} too, take the dependency away, or annotate this one with {OVERRIDE}: "true"'
        return f"deletion is held: {names} {which} ({how})"
    one = len(going) == 1
    return f"deletion waits for {', '.join(going)}, which {'depends' if one else 'depend'} on it and {'is' if one else 'are'} being deleted"
