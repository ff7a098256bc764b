"""What is written as YAML: kustomize's bytes, and nothing that reads as something else."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from build_real import where
from hypothesis import given, settings
from hypothesis import strategies as st

from kilde.core.basics.errors import InvalidYaml
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_scalars import EMPTY, OddKey, to_json
from kilde.core.objects.yaml_writer import go_float, sort_keys, write_document, write_documents

WORDS = (
    "words that go on and on until the line is long enough to be broken somewhere behind column eighty, which is here"
)

WRITTEN: list[tuple[Any, str]] = [
    ({}, "{}\n"),
    ([], "[]\n"),
    ("x", "x\n"),
    ({"b": 1, "a": [1, {"x": None, "w": []}, [2, [3]]], "c": {}}, "a:\n- 1\n- w: []\n  x: null\n- - 2\n  - - 3\nb: 1\nc: {}\n"),
    ({"a": "yes", "n": "n", "c": "1:30", "d": "0777", "e": "2020-01-01"}, 'a: "yes"\nc: "1:30"\nd: "0777"\ne: "2020-01-01"\n"n": "n"\n'),
    ({"a": "=", "b": "<<", "c": "12h", "d": "NaN", "e": "0x"}, "a: =\nb: <<\nc: 12h\nd: NaN\ne: 0x\n"),
    ({"a": "- x", "b": "x: y", "c": "x #y"}, "a: '- x'\nb: 'x: y'\nc: 'x #y'\n"),
    ({"d": "'q'", "e": " x", "f": "*x"}, "d: '''q'''\ne: ' x'\nf: '*x'\n"),
    ({"a": "", "b": "~", "c": ".5", "d": "1e3"}, 'a: ""\nb: "~"\nc: ".5"\nd: "1e3"\n'),
    ({"a": "x\ny\n", "b": "x\ny", "c": "x\n\n"}, "a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\n"),
    ({"d": "\nx", "e": " x\ny"}, "d: |2-\n\n  x\ne: |2-\n   x\n  y\n"),
    ({"a": "x \ny", "b": "x\ty\nz", "c": "😀", "d": "é"}, 'a: "x \\ny"\nb: "x\\ty\\nz"\nc: "\\U0001F600"\nd: é\n'),
    ({"a": WORDS}, f"a: {WORDS[:83]}\n  {WORDS[84:]}\n"),
    ({"k" * 129: "v"}, f"? {'k' * 129}\n: v\n"),
    ({"k" * 128: {"a": 1}}, f"{'k' * 128}:\n  a: 1\n"),
    ({"a": 1.5, "b": 1234567.5, "c": 1e-5}, "a: 1.5\nb: 1.2345675e+06\nc: 1e-05\n"),
    ({"d": 1e20, "e": 2.0, "f": -0.25}, "d: 1e+20\ne: 2\nf: -0.25\n"),
    ({"a": True, "b": False, "c": 18446744073709551615}, "a: true\nb: false\nc: 18446744073709551615\n"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), WRITTEN)
def test_a_value_is_written_as_kustomize_writes_it(value: Any, text: str) -> None:
    assert write_document(value) == text


def test_documents_have_a_line_between_them_and_none_around() -> None:
    assert write_documents([{"a": 1}, {"b": 2}]) == "a: 1\n---\nb: 2\n"
    assert write_documents([]) == ""


def test_keys_are_in_natural_order() -> None:
    assert sort_keys(["a10", "a2", "b", "B", "a", "A", "_x", "a.b", "09", "9", "10", "a-b"]) == [
        "_x", "9", "09", "10", "A", "B", "a", "a-b", "a.b", "a2", "a10", "b",
    ]  # fmt: skip


@pytest.mark.parametrize("value", [{OddKey("1"): 1}, {"a": [{OddKey("true"): 1}]}])
def test_a_key_that_is_no_string_is_refused(value: Any) -> None:
    with pytest.raises(InvalidYaml, match="is not a string"):
        write_document(value)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.1, "0.1"),
        (1e21, "1e+21"),
        (123456.7, "123456.7"),
        (1e-4, "0.0001"),
        (-1.5e-7, "-1.5e-07"),
        (5e-324, "5e-324"),
    ],
)
def test_a_float_is_written_as_go_does(number: float, text: str) -> None:
    assert go_float(number) == text


_STRANGE = "\0\ufeff\ufffe\uffff\u2028\u2029\x85\r"  # what YAML readers disagree about, or refuse
_CHARACTERS = st.characters(codec="utf-8", exclude_characters=_STRANGE, exclude_categories=("Cs", "Cc", "Cn"))
_TEXT = st.text(_CHARACTERS | st.sampled_from("\n\t :#-'\"{}[]&*!|>%@`,?~.0123456789eEnNyY"), max_size=120)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_KEYS = _TEXT.filter(lambda key: key != "<<")  # written as go-yaml 2 does: without quotes
_SCALARS = st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | _FLOATS | _TEXT
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=15
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_whatever_is_written_reads_as_itself(value: dict[str, Any]) -> None:
    text = write_document(value).encode()
    [found] = read_documents(text, file="f", mode="kustomize")
    assert to_json(found.value) == to_json(value)


def test_nothing_written_is_null() -> None:
    assert write_document({"a": EMPTY}) == "a: null\n"


@settings(max_examples=25, deadline=None)
@given(st.lists(_TEXT, max_size=12))
def test_strings_are_written_as_the_real_kustomize_writes_them(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    if not where("kustomize").exists():
        pytest.skip("kustomize is not built (make real)")
    folder = tmp_path_factory.mktemp("write")
    body = {"apiVersion": "v1", "kind": "Foo", "metadata": {"name": "x"}, "spec": texts}
    (folder / "a.yaml").write_text(json.dumps(body, ensure_ascii=False))
    (folder / "kustomization.yaml").write_text("resources: [a.yaml]\n")
    done = subprocess.run([str(where("kustomize")), "build", str(folder)], capture_output=True, check=True)
    assert write_document(body) == done.stdout.decode()
    _clear(folder)


def _clear(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
