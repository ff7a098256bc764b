"""Changes that many actions are made of: a field set or taken away, an annotation written, a number of replicas."""

from collections.abc import Callable
from typing import Any

from kilde.core.actions.action import Call
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object

Change = Callable[[Object, Call], Object | None]
RESTARTED = "kubectl.kubernetes.io/restartedAt"
_MOST_REPLICAS = 2**31 - 1


def at(obj: Object, *path: str) -> Any:
    """The value at a path; None where there is none."""
    found: Any = obj
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def put(obj: Object, value: Any, *path: str) -> None:
    """Sets the value at a path, making what is missing on the way; None takes it away."""
    *way, last = path
    found = obj
    for key in way:
        if not isinstance(found.get(key), dict):
            if value is None:
                return
            found[key] = {}
        found = found[key]
    if value is None:
        found.pop(last, None)
    else:
        found[last] = value


def sets(value: Any, *path: str) -> Change:
    """A change that sets a field; None takes it away."""

    def change(obj: Object, call: Call) -> None:
        del call
        put(obj, value, *path)

    return change


def stamps(*path: str) -> Change:
    """A change that writes the moment into a field."""

    def change(obj: Object, call: Call) -> None:
        put(obj, rfc3339(call.now), *path)

    return change


def annotates(name: str, value: str | None = None, *, stamped: bool = False) -> Change:
    """A change of one annotation: a value, the moment, or (neither) none."""
    path = ("metadata", "annotations", name)
    return stamps(*path) if stamped else sets(value, *path)


def scales(*path: str) -> Change:
    """A change that sets a number of replicas, as the parameter says."""

    def change(obj: Object, call: Call) -> None:
        put(obj, replicas(call), *path)

    return change


def replicas(call: Call) -> int:
    """The parameter; InvalidInput where it is no number of replicas."""
    text = call.parameters.get("replicas", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _MOST_REPLICAS):
        raise InvalidInput(f"replicas: '{text}' is not a number of replicas", hint="give --param replicas=3")
    return int(text)


def is_set(*path: str) -> Callable[[Object], bool]:
    """Whether a field is true."""
    return lambda obj: at(obj, *path) is True


def is_not_set(*path: str) -> Callable[[Object], bool]:
    return lambda obj: at(obj, *path) is not True
