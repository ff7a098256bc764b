"""What a forge told of a commit, joined with the operations that deployed it; and what is still to be asked."""

from typing import Any

from kilde.core.ledger.operation import operations
from kilde.core.ledger.record import Record
from kilde.core.ledger.reviews import REVIEWED, Commit, reviewed_body, unreviewed

URL = "https://git.example/acme/shop"
ONE, TWO = Commit(URL, "default", "a" * 40), Commit(URL, "default", "b" * 40)


def record(number: int, kind: str, body: dict[str, Any]) -> Record:
    return Record(number=number, at="2026-01-01T00:00:00.000Z", kind=kind, body=body, previous="", hash="")


def opened(number: int, commit: Commit, *reviewers: str) -> Record:
    revision = {"sha": commit.sha, "reviewers": list(reviewers)}
    return record(
        number, "operation-opened", {"project": commit.project, "source": {"repoURL": commit.url}, "revision": revision}
    )


def reviewed(number: int, commit: Commit, *reviewers: str) -> Record:
    return record(number, REVIEWED, reviewed_body(commit, "github", "https://git.example/7", reviewers))


def test_a_review_is_told_of_every_operation_with_its_commit() -> None:
    found = operations([opened(1, ONE, "Ann"), opened(2, TWO), reviewed(3, ONE, "Bob", "Ann"), opened(4, ONE)])
    assert [(view.number, view.request, view.reviewers) for view in found] == [
        (1, "https://git.example/7", ("Ann", "Bob")),
        (2, "", ()),
        (4, "https://git.example/7", ("Bob", "Ann")),
    ]


def test_what_is_still_to_be_asked() -> None:
    assert unreviewed([opened(1, ONE), opened(2, TWO), opened(3, TWO), reviewed(4, ONE)]) == [TWO]
    assert unreviewed([record(1, "operation-opened", {"cause": "no commit"}), record(2, REVIEWED, {})]) == []
