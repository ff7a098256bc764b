"""Two statuses of one application, the other controller's and ours, field by field."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

_RESOURCE_FIELDS = ("version", "status", "syncWave", "hook", "requiresPruning", "requiresDeletionConfirmation")
_ABSENT = "(none)"
_LONGEST = 300  # characters of a value
# what Argo CD says too; conditions of our own say what it has no word for
_CONDITIONS = frozenset(
    {
        "ComparisonError",
        "ExcludedResourceWarning",
        "InvalidSpecError",
        "OrphanedResourceWarning",
        "RepeatedResourceWarning",
        "SharedResourceWarning",
        "SyncError",
        "UnknownError",
    }
)


class Field(msgspec.Struct, frozen=True):
    """One field of both statuses, as text."""

    name: str
    theirs: str
    ours: str

    @property
    def agrees(self) -> bool:
        return self.theirs == self.ours


def compared(theirs: Mapping[str, Any], ours: Mapping[str, Any], *, images: Iterable[str] = ()) -> tuple[Field, ...]:
    """Every field that both sides have a say in. `images`: those that the live objects' templates name, whoever's pods run them."""
    fields = [
        _field("sync.status", theirs, ours, "sync", "status"),
        _field("sync.revision", theirs, ours, "sync", "revision"),
        _field("sync.revisions", theirs, ours, "sync", "revisions"),
        _field("health.status", theirs, ours, "health", "status"),
        _field("sourceType", theirs, ours, "sourceType"),
        _field("sourceTypes", theirs, ours, "sourceTypes"),
        Field("conditions", _conditions(theirs), _conditions(ours)),
        _images(theirs, ours, images),
        *_resources(theirs, ours),
    ]
    return tuple(field for field in fields if (field.theirs, field.ours) != (_ABSENT, _ABSENT))


def _field(name: str, theirs: Any, ours: Any, *path: str) -> Field:
    return Field(name, _text(_at(theirs, path)), _text(_at(ours, path)))


def _at(value: Any, path: Iterable[str]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str:
    if value is None or value in ("", []):
        return _ABSENT
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _items(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _conditions(status: Mapping[str, Any]) -> str:
    found = {str(one.get("type")) for one in _items(status.get("conditions"))}
    return _text(sorted(found & _CONDITIONS))


def errors_of(status: Mapping[str, Any]) -> tuple[str, ...]:
    """The messages of the conditions that say why something cannot be told."""
    found = (one for one in _items(status.get("conditions")) if str(one.get("type")).endswith("Error"))
    return tuple(f"{one.get('type')}: {one.get('message')}" for one in found)


def _images(theirs: Mapping[str, Any], ours: Mapping[str, Any], templates: Iterable[str]) -> Field:
    """Argo CD lists what pods run; we list pods of Git, and know the others by the templates they are made of.

    That a template's image is not listed says that no pod is there now (no replica, a job's time has not come): no difference.
    """
    seen = _at(theirs, ("summary", "images"))
    listed = set(map(str, seen)) if isinstance(seen, list) else set()
    own = {*(_at(ours, ("summary", "images")) or ()), *listed.intersection(templates)}
    return Field("summary.images", _text(sorted(listed)), _text(sorted(own)))


def _resources(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterable[Field]:
    before = {_name(one): one for one in _items(theirs.get("resources"))}
    after = {_name(one): one for one in _items(ours.get("resources"))}
    for name in sorted({*before, *after}):
        mine, other = after.get(name), before.get(name)
        if mine is None or other is None:
            yield Field(
                f"resources[{name}]", _ABSENT if other is None else "listed", _ABSENT if mine is None else "listed"
            )
            continue
        unlike = [key for key in _RESOURCE_FIELDS if other.get(key) != mine.get(key)]
        for key in unlike:
            yield Field(f"resources[{name}].{key}", _text(other.get(key)), _text(mine.get(key)))
        if not unlike:
            yield Field(
                f"resources[{name}]", _text(other.get("status") or "listed"), _text(mine.get("status") or "listed")
            )


def _name(one: Mapping[str, Any]) -> str:
    kind = f"{one['group']}/{one.get('kind')}" if one.get("group") else str(one.get("kind"))
    return f"{kind} {one['namespace']}/{one.get('name')}" if one.get("namespace") else f"{kind} {one.get('name')}"


class AppShadow(msgspec.Struct, frozen=True, kw_only=True):
    """One application: as compared last, and what differed only for a while. `silent`: why it was not compared, if it was not.

    `changes`: what Kilde would do to objects, and which fields it would write, without their values; `errors`: why it cannot tell.
    """

    name: str
    fields: tuple[Field, ...] = ()
    compared: int = 0
    passing: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    silent: str = ""

    @property
    def differences(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if not field.agrees)

    @property
    def agrees(self) -> bool:
        return not self.silent and not self.differences


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, after so many seconds."""

    system: str
    cluster: str
    seconds: float
    applications: tuple[AppShadow, ...]

    @property
    def agrees(self) -> bool:
        return all(app.agrees for app in self.applications)
