"""Editing YAML as text: whatever is wanted is said, and the text that says something else stays."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cli.edit_corpus import Messy
from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.yaml_edit import rewrite
from kilde.core.objects.yaml_reader import read_documents

texts = st.sampled_from(["a", "yes", "1", "a: b", "# c", "q'", "two\nlines", "end\n", " pad", "é", ""])
keys = st.sampled_from(["a", "b", "c1", "c10", "y", "d e"])
values = st.recursive(
    st.one_of(texts, st.integers(0, 9), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, min_size=1, max_size=3), st.dictionaries(keys, inner, min_size=1, max_size=3)),
    max_leaves=8,
)  # fmt: skip
documents = st.dictionaries(keys, values, min_size=1, max_size=4)


def read(text: str) -> dict[str, Any]:
    found = read_documents(text.encode(), file="k.yaml", duplicates="last")
    assert not found or isinstance(found[0].value, dict)
    return found[0].value if found else {}


def edited(text: str, new: dict[str, Any]) -> str:
    return rewrite(text, new, read=read, spelling=lambda _path, key: key)


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(old=documents, new=documents, rnd=st.randoms(use_true_random=False))
def test_any_text_can_be_made_to_say_anything(old: dict[str, Any], new: dict[str, Any], rnd: random.Random) -> None:
    text = Messy(rnd).text(old)
    assume(read(text) == old)  # what the corpus writes in a person's way is not always what it means

    found = edited(text, {**old, **new} if rnd.random() < 0.5 else new)

    assert edited(found, read(found)) == found
    assert edited(edited(found, old), old) == edited(found, old)


CASES = {
    "a value keeps quotes that were chosen": ("a: 'b' # c\n", {"a": "d"}, "a: 'd' # c\n"),
    "and loses those that were needed": ('a: "1" # c\n', {"a": "d"}, "a: d # c\n"),
    "a list goes on as it began": ("a:\n    - x # y\n\n# z\n", {"a": ["x", "w"]}, "a:\n    - x # y\n    - w\n\n# z\n"),
    "the first of a list goes": ("a:\n# on x\n- x\n# on w\n- w\n", {"a": ["w"]}, "a:\n# on x\n# on w\n- w\n"),
    "the first key of an element goes": (
        "a:\n- b: c # d\n  # on e\n  e: f\n",
        {"a": [{"e": "f"}]},
        "a:\n- # on e\n  e: f\n",
    ),
    "and comes": ("a:\n- e: f # g\n", {"a": [{"b": "c", "e": "f"}]}, "a:\n- b: c\n  e: f # g\n"),
    "keys that are sorted stay so": (
        "m:\n  a: d\n  # on c\n  c: x\n",
        {"m": {"a": "d", "b": "z", "c": "x"}},
        "m:\n  a: d\n  b: z\n  # on c\n  c: x\n",
    ),
    "those that are not get it at the end": (
        "m:\n  c: x\n  a: z\n",
        {"m": {"a": "z", "b": "z", "c": "x"}},
        "m:\n  c: x\n  a: z\n  b: z\n",
    ),
    "nothing becomes a list": ("a: # later\nb: c\n", {"a": ["x"], "b": "c"}, "a:  # later\n- x\nb: c\n"),
    "an empty list becomes one": ("a: []  # none\n", {"a": ["x"]}, "a:  # none\n- x\n"),
    "flow stays flow": ("a: [ b , c ] # d\n", {"a": ["b", "e, f"]}, 'a: [ b , "e, f" ] # d\n'),
    "its last goes": ("a: {b: c, d: e}\n", {"a": {"b": "c"}}, "a: {b: c}\n"),
    "its first goes": ("a: {b: c, d: e}\n", {"a": {"d": "e"}}, "a: {d: e}\n"),
    "a comma at its end": ("a: [b, c,]\n", {"a": ["b", "c", "d"]}, "a: [b, c, d,]\n"),
    "comments in it": ("a: [\n  b, # on b\n  c # on c\n]\n", {"a": ["b"]}, "a: [\n  b, # on b\n   # on c\n]\n"),
    "JSON stays JSON": ('{"a": ["b"]}\n', {"a": ["b", "c"], "d": {"e": "f"}}, '{"a": ["b", "c"], "d": {"e": "f"}}\n'),
    "a document among others": ("---\na: b\n---\nc: d\n", {"a": "b", "e": "f"}, "---\na: b\ne: f\n---\nc: d\n"),
    "a marker at the end": ("a: b\n...\n", {"a": "b", "e": "f"}, "a: b\ne: f\n...\n"),
    "a mark at the beginning": ("\ufeffa: b\n", {"a": "c"}, "\ufeffa: c\n"),
    "returns": ("a: b # c\r\n", {"a": "b", "d": ["e"]}, "a: b # c\r\nd:\r\n- e\r\n"),
    "no newline at the end": ("a: b", {"a": "b", "c": "d"}, "a: b\nc: d"),
    "kept newlines": ("a: |+\n  b\n\n\n", {"a": "b\n\n\n", "c": "d"}, "a: |+\n  b\n\n\nc: d\n"),
    "a comment that would become text": ("a: |\n  b\nc:\n    # deep\n    d: e\n", {"a": "b\n"}, "a: |\n  b\n# deep\n"),
    "a text block": ("a:\n- |-\n  b\n\n# c\n", {"a": ["d\ne"]}, "a:\n- |-\n  d\n  e\n\n# c\n"),
    "an anchor nobody minds": ("a: &x [b]\nc: *x\n", {"a": ["b"], "c": ["b"], "d": "e"}, "a: &x [b]\nc: *x\nd: e\n"),
    "an anchored scalar": ("a: &x b # c\n", {"a": "d"}, "a: &x d # c\n"),
    "a tag": ("a: !!str 1\n", {"a": "2"}, 'a: "2"\n'),
    "a merge": (
        "a: &x {b: c}\nd:\n  # e\n  <<: *x\n",
        {"a": {"b": "c"}, "d": {"b": "f"}},
        "a: &x {b: c}\nd:\n  # e\n  <<: *x\n  b: f\n",
    ),
    "a key that is asked": ("? a\n: b\nc: d\n", {"a": "e", "c": "d"}, "? a\n: e\nc: d\n"),
    "the last of two with one name": ("a: b\na: c # d\n", {"a": "e"}, "a: b\na: e # d\n"),
    "a root that is further in": ("  a: b\n", {"a": "b", "c": ["d"]}, "  a: b\n  c:\n  - d\n"),
    "nothing at all": ("", {"a": "b"}, "a: b\n"),
    "comments alone": ("# c\n\n", {"a": "b"}, "# c\na: b\n\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_around_stays(name: str) -> None:
    before, new, after = CASES[name]
    assert edited(before, new) == after


def test_anchors_that_stand_in_the_way_are_written_out_with_their_comments_above() -> None:
    before = "a: &x  # on a\n- b # on b\nc: *x # on c\nd: e # on d\n"
    assert edited(before, {"a": ["b", "f"], "c": ["b"], "d": "e"}) == (
        "# on a\n# on b\na:\n- b\n- f\n# on c\nc:\n- b\nd: e # on d\n"
    )


def test_a_field_whose_anchor_others_use_can_go() -> None:
    before = "# on a\na: &x [b] # a\nc: *x # on c\nd: [e] # on d\nf: g\n"
    assert edited(before, {"c": ["b"], "d": ["e"], "f": "h"}) == "# on a\n# a\n# on c\nc:\n- b\nd: [e] # on d\nf: h\n"


def test_what_cannot_be_kept_apart_is_refused() -> None:
    with pytest.raises(InvalidInput, match="write it as a block, without anchors"):
        edited("{a: &x [b], c: *x}", {"a": ["d"], "c": ["b"]})
