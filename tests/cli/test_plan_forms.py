"""Markdown and HTML of a plan: nothing that an object says is obeyed, and no comment is larger than a forge takes."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.preview.plans import app, hostile, preview, step
from kilde.cli.planning.markdown import LIMIT, code, fence, markdown
from kilde.cli.planning.page import page
from kilde.core.preview.model import Finding

_MARKS = (
    "`",
    "``",
    "```",
    "~~~",
    "|",
    "\\",
    "\n",
    "\n\n",
    "<",
    ">",
    "[",
    "](",
    ")",
    "!",
    "*",
    "_",
    "#",
    "- ",
    "&lt;",
    " ",
    "x",
)
_BAD = (
    "@someone",
    "</details>",
    "<script>alert(1)</script>",
    "<img src=x>",
    "https://evil.example/",
    "<!--",
    "-->",
    "\x1b[31m",
)
_PARTS = st.sampled_from((*_MARKS, *_BAD, "\u202e"))
_TEXTS = st.lists(_PARTS, min_size=1, max_size=8).map("".join)
_OF_MARKDOWN = {
    "h2",
    "p",
    "strong",
    "code",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "ul",
    "li",
    "pre",
}
_OF_THE_PAGE = {
    *(
        "html",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h2",
        "p",
        "b",
        "div",
        "details",
        "summary",
        "span",
        "dl",
        "dt",
        "dd",
    ),
    *("ul", "li", "code", "table", "tr", "th", "td", "pre"),
}


class _Reader(HTMLParser):
    """Tags that were met, and what stands outside of code."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.comments = 0
        self.inside = 0
        self.bare: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.inside += tag in ("code", "pre")

    def handle_endtag(self, tag: str) -> None:
        self.inside -= tag in ("code", "pre")

    def handle_comment(self, data: str) -> None:
        self.comments += 1

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.bare.append(data)


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def _rendered(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


@given(text=_TEXTS)
def test_markdown_obeys_nothing_of_an_object(text: str) -> None:
    read = _read(_rendered(markdown(hostile(text))))
    bare = "".join(read.bare)
    assert read.tags <= _OF_MARKDOWN
    assert read.attributes <= {"class"}
    assert read.comments == 0
    assert "@" not in bare
    assert "evil" not in bare
    assert "alert" not in bare


@given(text=_TEXTS)
def test_a_page_obeys_nothing_of_an_object(text: str) -> None:
    read = _read(page(hostile(text)))
    assert read.tags <= _OF_THE_PAGE
    assert read.attributes <= {"charset", "name", "content", "http-equiv", "class", "open", "lang"}
    assert read.comments == 0


@given(text=_TEXTS)
def test_code_shows_the_text_as_it_is(text: str) -> None:
    shown = _read(_rendered(code(text)))
    assert shown.tags <= {"p", "code"}
    assert _read(_rendered(fence(text))).tags <= {"pre", "code"}


@pytest.mark.parametrize(
    ("apps", "steps", "size", "cut"),
    [(1, 2_000, 100, True), (3_000, 1, 10, True), (300, 3, 2_000, True), (1, 1, 500_000, True), (2, 3, 50, False)],
)
def test_a_comment_is_never_too_large_and_says_what_was_cut(apps: int, steps: int, size: int, cut: bool) -> None:
    many = [app(f"a{n}", steps=tuple(step(f"s{m}", diff="+x" * size) for m in range(steps))) for n in range(apps)]
    text = markdown(preview(*many))
    assert len(text) <= LIMIT
    assert text.count("<details>") == text.count("</details>")
    assert text.endswith("\n")
    assert ("Cut to fit" in text) == cut


def test_the_grave_ones_come_first() -> None:
    lost = Finding(kind="data-loss", text="DATA LOSS", grave=True)
    many = [app(f"a{n}", steps=(step(diff="+x" * 3_000),)) for n in range(100)]
    text = markdown(preview(*many, app("zz", steps=(step("data", "prune"),), findings=(lost,))))
    assert text.index("<summary>⚠️ <code>zz</code>") < text.index("<summary><code>a0</code>")
