"""`kilde ledger show -o oscal` against NIST's JSON schema of assessment results, as the models that are generated from it hold it."""

import re
import string
from dataclasses import fields
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from oscal_bindings.v1.models import AssessmentResultsDocument

from kilde.cli.ledger_formats import oscal_of
from kilde.core.ledger.answers import Event

_STRING = re.compile(r"\S(.*\S)?")  # 1.1.2's type of a value, which later schemas ask less of

FULL = {
    "at": "2026-01-31T12:00:00.000Z",
    "operation": 7,
    "cluster": "https://kubernetes.default.svc",
    "application": "argocd/web",
    "object": "apps/Deployment shop/web",
    "verb": "update",
    "outcome": "Synced",
    "cause": "operation",
    "asked_by": "automated",
    "commit": "a" * 40,
    "subject": "  Begin\tanew ",
    "author": "Ann <ann@example.org>",
    "reviewers": ("Bob <bob@example.org>", "Cid"),
    "by_hand": ("kubectl-edit at 2026-01-01T00:01:00Z",),
    "fields": ("spec.replicas",),
    "message": "admission webhook denied the request:\n\n  * no owner\n",
}


def judged(events: list[Event]) -> Any:
    """The document, refused by the schema's models where it is not theirs: unknown fields, empty lists, wrong patterns."""
    document = oscal_of(events)
    AssessmentResultsDocument.model_validate(document)
    for observation in document["assessment-results"]["results"][0].get("observations", ()):
        assert all(_STRING.fullmatch(prop["value"]) for prop in observation["props"])
    return document["assessment-results"]


def test_a_change_with_everything_and_none_at_all() -> None:
    results = judged([Event(**FULL)])
    [observation] = results["results"][0]["observations"]
    said = {prop["name"]: prop["value"] for prop in observation["props"]}
    assert said["message"] == "admission webhook denied the request: * no owner"
    assert (said["subject"], said["reviewers"]) == ("Begin anew", "Bob <bob@example.org>; Cid")
    assert "observations" not in judged([])["results"][0]


def test_what_it_refers_to_is_in_it() -> None:
    results = judged([Event(**FULL)])
    [resource] = results["back-matter"]["resources"]
    assert results["import-ap"] == {"href": f"#{resource['uuid']}"}


_TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Z", "Cc")), max_size=40)
_WORD = st.text(string.ascii_letters, min_size=1, max_size=9)


@given(st.data())
def test_whatever_people_write_is_within_the_schema(data: st.DataObject) -> None:
    texts = [
        field.name
        for field in fields(Event)
        if field.type is str and field.name not in ("at", "object", "verb", "cause")
    ]
    changed = {name: data.draw(_TEXT) for name in texts} | {
        name: data.draw(_WORD) for name in ("object", "verb", "cause")
    }
    lists = {name: tuple(data.draw(st.lists(_TEXT, max_size=3))) for name in ("reviewers", "by_hand", "fields")}
    judged([Event(**{**FULL, **changed, **lists})])
