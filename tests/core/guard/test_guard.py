"""Entries and windows of the guard: keys, sentences, what fits, and what a window says of itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.errors import Place
from kilde.core.guard.entries import MOST_BYTES, fitting, key_of, of_namespace, sentence
from kilde.core.guard.manifests import entries_name, namespace_of
from kilde.core.guard.windows import LONGEST, Window, read_window

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,20}[a-z0-9])?", fullmatch=True)
PLURALS = st.from_regex(r"[a-z]{1,10}", fullmatch=True)


@given(PLURALS, NAMES, NAMES, PLURALS, NAMES, NAMES)
def test_no_two_objects_have_one_key(a: str, b: str, c: str, d: str, e: str, f: str) -> None:
    assert (key_of(a, b, c) == key_of(d, e, f)) == ((a, b, c) == (d, e, f))


def test_a_key_that_is_too_long_or_of_no_name_is_none() -> None:
    assert key_of("configmaps", "", "") == ""
    assert key_of("configmaps", "", "x" * 253) == ""
    assert key_of("clusterroles", "rbac.authorization.k8s.io", "system:view") == (
        "clusterroles_rbac.authorization.k8s.io_system_view"
    )


@pytest.mark.parametrize(
    ("origin", "where"),
    [(Place("shop/a.yaml", 7), "shop/a.yaml:7"), (Place("shop/a.yaml"), "shop/a.yaml"), (None, "folder shop")],
)
def test_a_sentence_names_file_and_commit(origin: Place | None, where: str) -> None:
    told = sentence(origin=origin, repository="https://git.test/c", path="shop", application="web", commit="0" * 40)
    assert told == f"Git owns it: change {where} of https://git.test/c (application web, commit 000000000000)"


def test_a_namespace_names_three_applications() -> None:
    assert of_namespace(["b"]) == "Git owns what is in it (application b): remove that from Git instead"
    told = of_namespace(["d", "c", "b", "a"])
    assert told == "Git owns what is in it (applications a, b, c and 1 more): remove that from Git instead"


def test_very_many_entries_get_shorter_and_then_fewer() -> None:
    few = {f"configmaps__c{number}": "Git owns it: change a file" for number in range(100)}
    assert fitting(few) == few
    many = {f"configmaps__c{number}": "Git owns it: " + "x" * 400 for number in range(5000)}
    assert fitting(many) == dict.fromkeys(many, "Git owns it")
    most = {f"configmaps__{number:0240d}": "Git owns it: x" for number in range(5000)}
    kept = fitting(most)
    assert 3000 < len(kept) < 5000
    assert sum(len(key) + len(text) for key, text in kept.items()) <= MOST_BYTES


@given(NAMES, NAMES)
def test_a_name_tells_its_namespace(space: str, namespace: str) -> None:
    assert namespace_of(entries_name(space, namespace), space) == namespace
    assert namespace_of(entries_name(space, ""), space) == ""
    assert namespace_of(f"kilde-guard.{space}.window.1", space) is None


def window(**data: str) -> dict[str, Any]:
    asked = {"who": "ann", "reason": "orders fail", "until": "2030-01-01T00:00:00Z", "applications": "", **data}
    return {"metadata": {"name": "w"}, "data": asked}


def test_a_window_is_read_and_bounded() -> None:
    found = read_window(window(applications="shop, web"), now=1.0)
    assert found == Window(
        name="w", who="ann", reason="orders fail", until=1.0 + LONGEST, applications=frozenset({"shop", "web"})
    )
    assert isinstance(found, Window)
    assert (found.covers("shop"), found.covers("other")) == (True, False)
    everything = read_window(window(), now=1.0)
    assert isinstance(everything, Window)
    assert everything.covers("other")


@pytest.mark.parametrize(
    ("data", "problem"),
    [({"reason": " "}, "has no reason"), ({"until": "soon"}, "says in `until` no time such as 2026-01-31T12:00:00Z")],
)
def test_what_is_no_window_is_told(data: dict[str, str], problem: str) -> None:
    assert read_window(window(**data), now=1.0) == problem
