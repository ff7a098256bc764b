"""Operations as people ask for them: the records of an opening and its closing, read together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kilde.core.ledger.people import Person, shown
from kilde.core.ledger.record import Record
from kilde.core.ledger.reviews import REVIEWED, reviews_in

OPENED = "operation-opened"
CLOSED = "operation-closed"
UNFINISHED = "Running"
"""The phase of an operation whose closing is not on record yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of one object: verb (create, update, prune, …), outcome, resourceVersion before and after."""

    object: str
    verb: str
    outcome: str
    message: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationView:
    """One operation. `asked_by` is a user, "automated" or a part of the program; times are RFC 3339."""

    number: int
    application: str
    cause: str
    asked_by: str
    opened_at: str
    revision: Mapping[str, str]
    source: Mapping[str, str]
    rendered_digest: str
    planned: tuple[Mapping[str, Any], ...]
    closed_at: str = ""
    phase: str = UNFINISHED
    message: str = ""
    written: tuple[Written, ...] = ()
    unchanged: int = 0
    fields: tuple[str, ...] = ()
    changed_by: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    destination: Mapping[str, str] = field(default_factory=dict)
    rendering: Mapping[str, Any] = field(default_factory=dict)
    saved_plan: str = ""  # the digest of the plan that it carried out
    request: str = ""  # the address of the merge request that a forge told of


def operations(records: Iterable[Record], people: Mapping[str, Person] | None = None) -> list[OperationView]:
    """Joins openings and closings, in the order of the openings; other records are passed over, and closings of nothing.

    References are replaced by the `people` they stand for.
    """
    found: dict[int, OperationView] = {}
    reviews: dict[str, tuple[str, tuple[str, ...]]] = {}
    for stored in records:
        record = replace(stored, body=shown(stored.body, people or {}))
        if record.kind == OPENED:
            found[record.number] = _opened(record)
        elif record.kind == CLOSED:
            number = record.body.get("operation")
            if isinstance(number, int) and number in found:
                found[number] = _closed(found[number], record)
        elif record.kind == REVIEWED:
            reviews |= reviews_in([record])
    return [_reviewed(view, reviews) for view in found.values()]


def _reviewed(view: OperationView, reviews: Mapping[str, tuple[str, tuple[str, ...]]]) -> OperationView:
    """With what a forge told of its commit, before or afterwards."""
    said = reviews.get(view.revision.get("sha", ""))
    if said is None:
        return view
    return replace(view, request=said[0], reviewers=tuple(dict.fromkeys((*view.reviewers, *said[1]))))


def _opened(record: Record) -> OperationView:
    body = record.body
    return OperationView(
        number=record.number,
        application=_text(body, "application"),
        cause=_text(body, "cause"),
        asked_by=_text(body, "askedBy"),
        opened_at=record.at,
        revision={key: text for key, text in _texts(body.get("revision")).items() if key != "reviewers"},
        reviewers=_reviewers(body.get("revision")),
        destination=_texts(body.get("destination")),
        rendering=body["rendering"] if isinstance(body.get("rendering"), dict) else {},
        source=_texts(body.get("source")),
        rendered_digest=_text(body, "renderedDigest"),
        saved_plan=_text(body, "savedPlan"),
        planned=tuple(item for item in _items(body.get("plan")) if isinstance(item, dict)),
    )


def _closed(opened: OperationView, record: Record) -> OperationView:
    body = record.body
    unchanged = body.get("unchanged")
    return replace(
        opened,
        closed_at=record.at,
        phase=_text(body, "phase"),
        message=_text(body, "message"),
        written=tuple(_written(item) for item in _items(body.get("results")) if isinstance(item, dict)),
        unchanged=unchanged if isinstance(unchanged, int) else 0,
        fields=tuple(map(str, _items(body.get("fields")))),
        changed_by=tuple(map(str, _items(body.get("changedBy")))),
    )


def _written(item: Mapping[str, Any]) -> Written:
    return Written(
        object=_text(item, "object"),
        verb=_text(item, "verb"),
        outcome=_text(item, "outcome"),
        message=_text(item, "message"),
        before=_text(item, "before"),
        after=_text(item, "after"),
    )


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return "" if value is None else str(value)


def _reviewers(revision: Any) -> tuple[str, ...]:
    return tuple(map(str, _items(revision.get("reviewers")))) if isinstance(revision, dict) else ()


def _texts(value: Any) -> Mapping[str, str]:
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
