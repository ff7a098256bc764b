"""What holds of every edit of every file: nothing else changes, comments stay, what was added can be taken back."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cli.edit_corpus import HEADER, Messy, additions, edits, values
from cli.edit_folder import FILE, folder, ours
from kilde.core.basics.errors import KildeError
from kilde.core.objects.yaml_spans import line_end, line_start, parse_spans
from kilde.core.render.kustomize.edit.editing import edit_kustomization
from kilde.core.render.kustomize.edit.fields import set_text
from kilde.core.render.kustomize.kustomization import read_fields

pytestmark = pytest.mark.slow
bounded = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
randoms = st.randoms(use_true_random=False)
people = values(in_order=False, header=False)

TAKEN_BACK = [
    (("add", "resource", "c.yaml"), ("remove", "resource", "c.yaml")),
    (("add", "resource", "--no-verify", "z.yaml", "y.yaml"), ("remove", "resource", "[yz].yaml")),
    (("add", "base", "sub"), ("remove", "resource", "sub")),
    (("add", "transformer", "sub/d.yaml", "c.yaml"), ("remove", "transformer", "c.yaml", "sub/d.yaml")),
    (("add", "label", "new:l: 1"), ("remove", "label", "new")),
    (("add", "label", "0:"), ("remove", "label", "0")),
    (("add", "annotation", "new:yes", "zz:no"), ("remove", "annotation", "zz,new")),
    (("add", "buildmetadata", "transformerAnnotations"), ("remove", "buildmetadata", "transformerAnnotations")),
    (("add", "patch", "--patch", "a:\n  b: c\n", "--kind", "X"), ("remove", "patch", "--patch", "a:\n  b: c\n", "--kind", "X")),
    (("add", "configmap", "fresh", "--from-literal=a=#b"), ("remove", "configmap", "fresh")),
    (("add", "secret", "fresh", "--from-file=n=notes.txt", "--namespace=x"), ("remove", "secret", "fresh", "--namespace=x")),
]  # fmt: skip


def after(text: str, *commands: tuple[str, ...]) -> str:
    """The text after these edits, all of which must succeed."""
    with folder(text) as root:
        for arguments in commands:
            assert ours(*arguments) == 0, arguments
        return (root / FILE).read_bytes().decode()


def written(value: dict[str, Any], rnd: random.Random) -> tuple[str, list[str]]:
    messy = Messy(rnd)
    text = messy.text(value)
    ending = rnd.choice(["\n", "\n", "\r\n"])
    # a block that ends with the file and no line end is another text once something follows it, so it is written anew
    block_at_end = "|" in text or ">" in text
    text = text.removesuffix("\n") if rnd.random() < 0.2 and not block_at_end else text
    return text.replace("\n", ending), messy.comments


@bounded
@given(value=people, rnd=randoms, pair=st.sampled_from(TAKEN_BACK))
def test_what_was_added_is_taken_back_to_the_same_bytes(
    value: dict[str, Any], rnd: random.Random, pair: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    assume(value)
    text, _ = written(value, rnd)
    before = read_fields(text.encode(), FILE)[0]
    assume(not (set(before) & {"resources", "transformers"} and "sub/d.yaml" in str(before)))  # it would be there twice

    added = after(text, pair[0])
    assert added != text
    assert after(added, pair[1]) == text


@bounded
@given(value=people, rnd=randoms, arguments=additions)
def test_every_comment_and_every_other_field_stay_as_they_are(
    value: dict[str, Any], rnd: random.Random, arguments: list[str]
) -> None:
    text, comments = written(value, rnd)
    if arguments[:2] == ["set", "image"] or arguments[-1] == "":
        comments = []  # an entry that goes, or is replaced as a whole, takes along what stands behind it
    before = read_fields(text.encode(), FILE)[0]
    with folder(text) as root:
        ours(*arguments)
        edited = (root / FILE).read_bytes().decode()
    touched = {name for name, old in before.items() if read_fields(edited.encode(), FILE)[0].get(name) != old}

    assert [comment for comment in comments if comment not in edited] == []
    assert len(touched) <= 1
    root_node = parse_spans(text).root
    for child in root_node.children if root_node else ():
        if child.name not in touched:
            assert text[line_start(text, child.start) : line_end(text, child.end)] in edited + "\n"


@bounded
@given(value=people, rnd=randoms, arguments=edits)
def test_an_edit_that_sets_can_be_done_twice(value: dict[str, Any], rnd: random.Random, arguments: list[str]) -> None:
    assume(arguments[0] == "set" and not {"--new-namespace=other"} & set(arguments))
    text, _ = written(value, rnd)
    with folder(text) as root:
        assume(ours(*arguments) == 0)
        once = (root / FILE).read_bytes()
        assert ours(*arguments) == 0
        assert (root / FILE).read_bytes() == once


PIECES = [
    "&x ",
    "*x",
    "<<: *x\n",
    "!!str ",
    "- ",
    "\t",
    "\n",
    "#",
    "'",
    '"',
    "|",
    " |+\n",
    "{",
    "}",
    "[",
    "]",
    ":",
    "? ",
    ",",
    "~",
]
PIECES += ["---\n", "...\n", "\r", "\u2028", "\x85", "\ufeff", "%"]


@settings(bounded, max_examples=400)
@given(value=people, rnd=randoms)
def test_a_damaged_file_is_refused_or_says_what_was_asked_for(value: dict[str, Any], rnd: random.Random) -> None:
    text, _ = written(value, rnd)
    for _ in range(rnd.randint(1, 3)):
        at = rnd.randint(0, len(text))
        text = text[:at] + (rnd.choice(PIECES) + text[at:] if rnd.random() < 0.6 else text[at + rnd.randint(1, 6) :])
    try:
        before = read_fields(text.encode(), FILE)[0]
        edited = edit_kustomization(text.encode(), FILE, set_text("namespace", "wanted")).content
    except KildeError:
        return
    after = read_fields(edited, FILE)[0]
    assert after == ({**HEADER, "namespace": "wanted"} if not before else {**before, "namespace": "wanted"})
