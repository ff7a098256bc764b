"""Operations are put together from the records of their opening and closing, whatever else the ledger holds."""

from typing import Any

from kilde.core.ledger.operation import OperationView, Written, operations
from kilde.core.ledger.record import Record, next_record


def ledger(*entries: tuple[str, dict[str, Any]]) -> list[Record]:
    records: list[Record] = []
    for second, (kind, body) in enumerate(entries):
        records.append(next_record(records[-1] if records else None, kind, body, at=float(second)))
    return records


OPENED = {
    "application": "argocd/web",
    "cause": "operation",
    "askedBy": "ann",
    "revision": {"sha": "1234", "author": "Ann"},
    "source": {"repoURL": "r", "path": "p"},
    "renderedDigest": "d",
    "plan": [{"object": "ConfigMap a/b", "action": "create"}],
}


def test_an_opening_alone_is_an_operation_that_runs() -> None:
    assert operations(ledger(("operation-opened", OPENED))) == [
        OperationView(
            number=1,
            application="argocd/web",
            cause="operation",
            asked_by="ann",
            opened_at="1970-01-01T00:00:00.000Z",
            revision={"sha": "1234", "author": "Ann"},
            source={"repoURL": "r", "path": "p"},
            rendered_digest="d",
            planned=({"object": "ConfigMap a/b", "action": "create"},),
        )
    ]


def test_a_closing_completes_the_operation_it_names() -> None:
    closed = {
        "operation": 1,
        "phase": "Succeeded",
        "message": "all done",
        "results": [{"object": "ConfigMap a/b", "verb": "create", "outcome": "Synced", "before": "", "after": "7"}],
        "unchanged": 2,
        "fields": ["data.k"],
        "changedBy": ["kubectl"],
    }
    other = ("operation-opened", {**OPENED, "application": "argocd/api"})

    web, api = operations(ledger(("operation-opened", OPENED), other, ("operation-closed", closed)))

    assert (web.phase, web.message, web.closed_at) == ("Succeeded", "all done", "1970-01-01T00:00:02.000Z")
    assert web.written == (Written(object="ConfigMap a/b", verb="create", outcome="Synced", after="7"),)
    assert (web.unchanged, web.fields, web.changed_by) == (2, ("data.k",), ("kubectl",))
    assert (api.application, api.phase) == ("argocd/api", "Running")


def test_other_records_and_closings_of_nothing_are_passed_over() -> None:
    entries = ledger(("note", {"a": 1}), ("operation-closed", {"operation": 9}), ("operation-closed", {}))

    assert operations(entries) == []


def test_a_body_of_another_shape_is_read_as_far_as_it_goes() -> None:
    [found] = operations(
        ledger(
            ("operation-opened", {"application": None, "plan": "x", "revision": [1]}),
            ("operation-closed", {"operation": 1, "results": ["x", {"object": 5}], "unchanged": "many"}),
        )
    )

    assert (found.application, found.planned, dict(found.revision)) == ("", (), {})
    assert (found.written, found.unchanged, found.phase) == (
        (Written(object="5", verb="", outcome=""),),
        0,
        "",
    )
