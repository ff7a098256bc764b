"""Trailers are read as git reads them, for the cases that matter here."""

import pytest

from kilde.core.source.trailers import reviewers, trailers


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("Subject", []),
        ("Reviewed-by: Eve", []),
        ("Subject\n\nReviewed-by: Ann <a@x>\n", [("Reviewed-by", "Ann <a@x>")]),
        ("Subject\n\nText.\n\nReviewed-by: Ann <a@x>\nSigned-off-by: Bob\n", [("Reviewed-by", "Ann <a@x>"), ("Signed-off-by", "Bob")]),
        ("Subject\n\nReviewed-by: Ann\n and others\n", [("Reviewed-by", "Ann and others")]),
        ("Subject\n\nReviewed-by: Ann\n\nMore text.\n", []),
        ("Subject\n\nThis says\nReviewed-by: Ann\n", []),
    ],
)  # fmt: skip
def test_the_last_paragraph_has_them_or_nothing_has(message: str, found: list[tuple[str, str]]) -> None:
    assert trailers(message) == found


def test_a_reviewer_counts_once() -> None:
    message = "S\n\nreviewed-by: Ann <a@x>\nAcked-by: Ann <a@x>\nSigned-off-by: Bob\nApproved-by: Cy\n"

    assert reviewers(message) == ["Ann <a@x>", "Cy"]
