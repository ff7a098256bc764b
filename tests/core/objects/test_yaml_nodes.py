"""Nodes keep how a text was written; what they write reads as what they read."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.objects.test_yaml_writer import _KEYS, _VALUES
from kilde.core.basics.errors import KildeError
from kilde.core.objects.yaml_node_writer import write_nodes
from kilde.core.objects.yaml_nodes import parse_nodes
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_scalars import to_json
from kilde.core.objects.yaml_writer import write_document


def again(text: str) -> str:
    found = parse_nodes(text)
    assert found is not None
    return write_nodes(found)


KEPT = [
    "a: 1\nb: 'x'\nc: \"y\\tz\"\nd: yes\ne: 0x10\nf: ~\ng: null\nh: ''\n",
    "# head\n\nk:\n  m: 5 # beside\n  # inner\n  z: it's\n# foot\n\nn:\n- a\n- b: 1\n  c: 2\n\n# last\n",
    "k:\n  l:\n  # one\n  - a # two\n  # three\n  - b\n  # four\nz: 1\n",
    "k: # on a map\n  m: 1\n",
    "a: {b: 1, c: [d, 'e']}\nf: []\ng: {}\nh: [[1], {i: j}]\n",
    "l: |\n  lit\n  two\nm: |-\n  x\nf: >\n  folded\n",
    "a: &x {q: 1}\nb: *x\nc: !!str 1\nd: !mine e\n",
    "- - a\n  - b\n- c: d\n  e: f\n-\n- x\n",
    "a: a # b\nc: 'd # e'\nf: g#h\n",
    "? {a: b}\n: c\n",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_written_well_is_written_again_as_it_was(text: str) -> None:
    assert again(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a:\n    - b\n    - c:   d\n", "a:\n- b\n- c: d\n"),
        ("---\na: [ 1,2 ]   # x\n", "a: [1, 2] # x\n"),
        ("a: &b {c: d}\ne:\n  <<: *b\n", "a: &b {c: d}\ne:\n  !!merge <<: *b\n"),
        ("a: b\n---\nc: d\n", "a: b\n"),
        ("a: one\n  two\n", "a: one two\n"),
    ],
)
def test_the_rest_is_brought_into_the_usual_form(text: str, written: str) -> None:
    assert again(text) == written


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(_KEYS, _VALUES, min_size=1, max_size=4))
def test_no_value_is_lost(value: dict[str, Any]) -> None:
    text = again(write_document(value))
    [document] = read_documents(text.encode(), file="f", mode="kustomize")
    assert to_json(document.value) == to_json(value)


@pytest.mark.parametrize("text", ["a: [", "[" * 500, "a: \0"])
def test_what_is_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(KildeError):
        parse_nodes(text)


def test_a_text_that_says_nothing_has_no_nodes() -> None:
    assert parse_nodes("# only this\n") is None
