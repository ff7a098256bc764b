"""Events as the real components write them, and the memory that counts one up instead of writing it again."""

from collections import OrderedDict
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import name_of, namespace_of, uid_of
from kilde.kubeapi.controllers.steps import Emit

REMEMBERED = 4096
# Upstream (tools/record): so many texts, none so many seconds after the one before, are told as one; of one source about one object so
# many events are written, and one more each so many seconds.
_ALIKE, _WHILE = 10, 600
_BURST, _REFILL = 25, 300.0
_COMBINED = "(combined from similar events): "
_T = TypeVar("_T")


class Told(NamedTuple):
    """An event: where it is, if it was written, how often it has happened, and when first."""

    namespace: str
    name: str
    times: int
    first: str


class _Alike(NamedTuple):
    """Texts of events that differ in nothing else, and when the last of them was."""

    texts: set[str]
    last: float


class _Left(NamedTuple):
    """How many events may still be written, as of a moment."""

    tokens: float
    when: float


class Recorder:
    """Turns what a step emits into event objects. The same event again becomes a patch of its count."""

    def __init__(self) -> None:
        self._alike: OrderedDict[tuple[str, ...], _Alike] = OrderedDict()
        self._told: OrderedDict[tuple[str, ...], Told] = OrderedDict()
        self._left: OrderedDict[tuple[str, ...], _Left] = OrderedDict()
        self._serial = 0

    def combined(self, emit: Emit, now: float) -> Emit:
        """The event, or one for it and others: what differs in its text alone from nine that were not long ago. None of the newer form."""
        if emit.action:
            return emit
        key = _same(replace(emit, message="", field_path=""))
        alike = self._alike.get(key)
        texts = alike.texts if alike is not None and now - alike.last <= _WHILE else set[str]()
        _put(self._alike, key, _Alike(texts, now))
        if emit.message in texts:
            return emit
        if len(texts) + 1 < _ALIKE:
            texts.add(emit.message)
            return emit
        return replace(emit, message=_COMBINED + emit.message)

    def known(self, emit: Emit) -> Told | None:
        """The event this one repeats, counted up; None if it is new, or of the newer form (which is never counted)."""
        found = self._told.get(_same(emit))
        if found is None or emit.action:
            return None
        return found._replace(times=found.times + 1)

    def too_many(self, emit: Emit, now: float) -> bool:
        """Whether the source has told so much about the object that this is left out. Never of the newer form."""
        if emit.action:
            return False
        key = _source(emit)
        left = self._left.get(key, _Left(_BURST, now))
        tokens = min(_BURST, left.tokens + (now - left.when) / _REFILL)
        enough = tokens >= 1
        _put(self._left, key, _Left(tokens - enough, now))
        return not enough

    def body(self, emit: Emit, now: float, known: Told | None = None) -> Object:
        """A new event, or one that was `known` and may be gone, and remembers it; its name is the object's and the nanoseconds in hex."""
        self._serial = (self._serial + 1) % 1000
        about = emit.about
        namespace = namespace_of(about) or "default"
        suffix = format(int(now * 1e6) * 1000 + self._serial, "x")
        told = known or Told(namespace, f"{name_of(about)}.{suffix}", 1, rfc3339(now))
        event: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": told.name, "namespace": namespace},
            "involvedObject": _reference(emit),
            "reason": emit.reason,
            "message": emit.message[:1024],
            "type": emit.kind,
        }
        if emit.action:
            event["source"] = {}
            event["firstTimestamp"] = event["lastTimestamp"] = None
            event["eventTime"] = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            event["action"] = emit.action
            event["reportingComponent"] = emit.component
            event["reportingInstance"] = emit.host or f"{emit.component}-kilde"
            return event
        _put(self._told, _same(emit), told)
        event["source"] = {"component": emit.component, **({"host": emit.host} if emit.host else {})}
        event["firstTimestamp"], event["lastTimestamp"] = told.first, rfc3339(now)
        event["count"] = told.times
        event["eventTime"] = None
        combined = emit.message.startswith(_COMBINED)
        event["reportingComponent"] = "" if combined else emit.component
        event["reportingInstance"] = "" if combined else emit.host
        return event


def _reference(emit: Emit) -> dict[str, Any]:
    about = emit.about
    reference = {
        "kind": about.get("kind"),
        "namespace": namespace_of(about),
        "name": name_of(about),
        "uid": uid_of(about),
        "apiVersion": about.get("apiVersion"),
        "resourceVersion": about["metadata"].get("resourceVersion"),
        "fieldPath": emit.field_path,
    }
    return {key: value for key, value in reference.items() if value}


def _put(kept: OrderedDict[tuple[str, ...], _T], key: tuple[str, ...], one: _T) -> None:
    kept[key] = one
    kept.move_to_end(key)
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)


def _source(emit: Emit) -> tuple[str, ...]:
    return (uid_of(emit.about), emit.component, emit.kind, emit.host)


def _same(emit: Emit) -> tuple[str, ...]:
    text = _COMBINED if emit.message.startswith(_COMBINED) else emit.message
    return (uid_of(emit.about), emit.reason, text, emit.component, emit.kind, emit.host, emit.field_path)
