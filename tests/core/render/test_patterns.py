"""Patterns fit what Go's would, in time linear in the text, and refuse what Go's refuse."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilde.core.basics.errors import KildeError, LimitExceeded
from kilde.core.render.patterns import compile_pattern
from kilde.core.render.patterns.machine import MAX_TEXT

# parts that Python's engine and RE2 understand alike
_PARTS = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"\W", r"\s", "(a|b)", "(?:ab)", r"\b", "a*", "b+", "c?", "a{2}",
     "b{1,2}", "c{0}", "a{1,}", "(a*)*", "(a|b*)+", r"\.", "x|y", "()", "[]a]", r"[a\-c]", r"\x61", "a*?", "(a+?)?"]
)  # fmt: skip
_TEXTS = st.text("abcABxy1 .-\n", max_size=8)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(_PARTS, min_size=1, max_size=5).map("".join), st.booleans(), st.booleans(), st.lists(_TEXTS, max_size=5)
)
def test_a_pattern_fits_where_pythons_does(pattern: str, begin: bool, end: bool, texts: list[str]) -> None:
    head, tail = "^" if begin else "", "$" if end else ""
    ours = compile_pattern(f"{head}(?:{pattern}){tail}")
    theirs = re.compile((r"\A" if begin else "") + f"(?:{pattern})" + (r"\Z" if end else ""), re.ASCII)
    assert [ours.search(text) for text in texts] == [theirs.search(text) is not None for text in texts]


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("(?i)WEB", "my-web", True),
        ("(?i:W)eb", "wEB", False),
        ("(?i)[^a]", "A", False),
        ("(?s)a.b", "a\nb", True),
        ("(?m)^b$", "a\nb\nc", True),
        ("[[:upper:]][[:^digit:]]", "Ax", True),
        (r"\Qa.b\E+", "a.bb", True),
        (r"\pL\p{Lu}\PN", "éÉx", True),
        (r"\A\x{1F600}\z", "😀", True),
        ("(?P<name>a)(?<other>b)", "ab", True),
        ("a,{", "a,{", True),
    ],
)
def test_what_only_re2_has_works(pattern: str, text: str, fits: bool) -> None:
    assert compile_pattern(pattern).search(text) is fits


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)", "(?<!a)", "a**", "a++", r"\1", r"\8", "[b-a]", "(", "a)", "*", "[a", "x{1001}", "((a{100}){100}){100}",
     "[[:foo:]]", r"\pX", "\\", "(" * 500 + ")" * 500, "a" * 1001 + ".", r"[\d-z"],
)  # fmt: skip
def test_what_re2_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(KildeError, match=r"no regular expression|too long"):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(.*)*(.*)*(.*)*x{300}", "(a|a)*b", "(a?){200}a{200}b", "([a-z]+)*!"])
def test_no_pattern_takes_long(pattern: str) -> None:
    begun = time.process_time()
    assert not compile_pattern(pattern).search("a" * 500 + "?")
    assert time.process_time() - begun < 5.0


def test_a_text_that_is_too_long_is_not_searched() -> None:
    assert compile_pattern("b").search("a" * MAX_TEXT + "ab")  # no operator: a plain search
    with pytest.raises(LimitExceeded):
        compile_pattern("b+").search("a" * (MAX_TEXT + 1))
