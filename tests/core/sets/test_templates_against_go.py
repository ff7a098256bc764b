"""Templates, slugs, flattening and merging as Go does them: what Argo CD's own libraries make of the same, case by case.

The oracle (tests/real/templates) is built by `make real`. The cases in go_templates.txt call every function of sprig that is not for
chance or the machine's clock, and the ways in which a template can fail.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from build_real import where
from hypothesis import given, settings
from hypothesis import strategies as st

from kilde.core.basics.errors import KildeError
from kilde.core.sets.naming import branch_slug
from kilde.core.sets.parameters import as_go, flattened, overridden
from kilde.core.sets.templates import Filler

ORACLE = where("template-oracle")
pytestmark = pytest.mark.skipif(not ORACLE.is_file(), reason="the oracle is not built: make real")

CASES = (Path(__file__).parent / "go_templates.txt").read_text().splitlines()
PARAMETERS: dict[str, Any] = {
    "a": "text", "f": 1.5, "big": 123456789, "neg": -3, "list": ["a", "x", 2], "yes": True, "nil": None, "empty": [],
    "map": {"k": "v", "n": 1000000, "o": {"p": [1]}}, "segments": ["x", "y"], "objs": [{"n": 1}, {"n": 2}],
}  # fmt: skip
KNOWN = ("{{toDate ", "{{dateModify ", "{{.a.b}}", "{{.list.x}}")
"""A time is printed otherwise, and a field of a text or list is `<no value>` where Go fails: docs/limits.md has both."""


def ask(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = "\n".join(map(json.dumps, questions))
    done = subprocess.run([ORACLE], input=lines, capture_output=True, text=True, check=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def ours(text: str, parameters: dict[str, Any], *, go: bool, options: tuple[str, ...] = ()) -> dict[str, Any]:
    try:
        return {"value": Filler(go=go, options=options).text(text, as_go(parameters) if go else parameters)}
    except KildeError:
        return {"value": None}


def test_go_templates_give_what_go_gives_and_fail_where_go_fails() -> None:
    options = ((), ("missingkey=error",))
    asked = [(text, each) for text in CASES if not text.startswith(KNOWN) for each in options]
    found = ask([{"ask": "go", "text": t, "parameters": PARAMETERS, "options": list(o)} for t, o in asked])
    differ = []
    for (text, each), theirs in zip(asked, found, strict=True):
        wanted = None if theirs["error"] else theirs["value"]
        got = ours(text, PARAMETERS, go=True, options=each)["value"]
        if got != wanted:
            differ.append((text, each, got, wanted, theirs["error"]))
    assert differ == []
    assert len(asked) > 300


TAGS = st.lists(
    st.sampled_from(["{{", "}}", "{{ a }}", "{{a}}", "{{b}}", "{{n}}", "{{ }}", "{{}}", "x", "\n", "{", "}", "a", " "]),
    max_size=8,
).map("".join)


@settings(max_examples=8, deadline=None)
@given(st.lists(TAGS, min_size=20, max_size=20))
def test_the_older_templates_keep_what_they_do_not_know(texts: list[str]) -> None:
    parameters = {"a": "A", "b": "{{a}}", "n": 1}
    found = ask([{"ask": "fast", "text": text, "parameters": parameters} for text in texts])
    for text, theirs in zip(texts, found, strict=True):
        assert ours(text, parameters, go=False)["value"] == (None if theirs["error"] else theirs["value"]), text


ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=90)


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        ASCII | st.sampled_from(["a-b" * 40, "x" * 60, "é-Ü/ß", "feat/A_b & c@d", "--a--", "“q”—r"]),
        min_size=20,
        max_size=20,
    )
)
def test_slugs(texts: list[str]) -> None:
    found = ask([{"ask": "slug", "text": text} for text in texts])
    plain = [(t, a) for t, a in zip(texts, found, strict=True) if "ß" not in t and "“" not in t]
    assert [branch_slug(text) for text, _ in plain] == [theirs["value"] for _, theirs in plain]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
MAPS = st.dictionaries(st.sampled_from("abcd"), JSON, max_size=4)


@settings(max_examples=8, deadline=None)
@given(st.lists(MAPS, min_size=20, max_size=20))
def test_flattening(several: list[dict[str, Any]]) -> None:
    found = ask([{"ask": "flatten", "parameters": each} for each in several])
    assert [flattened(as_go(each)) for each in several] == [theirs["value"] for theirs in found]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(MAPS, MAPS), min_size=20, max_size=20))
def test_merging_of_parameters(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    found = ask([{"ask": "override", "parameters": below, "other": above} for below, above in pairs])
    for (below, above), theirs in zip(pairs, found, strict=True):
        if not theirs["error"]:
            assert as_go(overridden(below, above)) == as_go(theirs["value"]), (below, above)
