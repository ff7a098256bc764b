"""What is read from YAML: values as Kubernetes and as kustomize see them, places, and refusals that cost little."""

import time
from typing import Any

import pytest

from kilde.core.basics.errors import InvalidYaml, LimitExceeded, Place
from kilde.core.objects.yaml_reader import YamlLimits, read_documents
from kilde.core.objects.yaml_scalars import to_json


def kubernetes(text: str | bytes, **options: Any) -> list[Any]:
    data = text if isinstance(text, bytes) else text.encode()
    return [document.value for document in read_documents(data, file="f.yaml", **options)]


def kustomize(text: str, **options: Any) -> list[Any]:
    return [
        to_json(document.value)
        for document in read_documents(text.encode(), file="f.yaml", mode="kustomize", **options)
    ]


# the scalar, what Kubernetes sees, what kustomize sees
SCALARS: list[tuple[str, Any, Any]] = [
    ("yes", True, "yes"),
    ("off", False, "off"),
    ("y", True, "y"),
    ("True", True, True),
    ("tRUE", "tRUE", "tRUE"),
    ("~", None, None),
    ("Null", None, None),
    ("nULL", "nULL", "nULL"),
    ("0", 0, 0),
    ("-0", 0, 0),
    ("017", 15, 15),
    ("0o17", 15, 15),
    ("0x1f", 31, 31),
    ("-0x1f", -31, -31),
    ("0b11", 3, 3),
    ("08", 8, 8),
    ("1_0", 10, 10),
    ("+3", 3, 3),
    ("2.0", 2, 2),
    ("2e2", 200, 200),
    ("-.5", -0.5, -0.5),
    (".68_7", 0.687, 0.687),
    (".604_", ".604_", ".604_"),
    ("1_.5_", 1.5, 1.5),
    ("1e999", "1e999", "1e999"),
    ("18446744073709551615", 18446744073709552000, 18446744073709551615),
    ("18446744073709551616", 18446744073709552000, 18446744073709552000),
    ("9223372036854775807", 9223372036854775807, 9223372036854775807),
    ("9223372036854775808", 9223372036854776000, 9223372036854775808),
    ("12:30:45", "12:30:45", "12:30:45"),
    ("1.2.3", "1.2.3", "1.2.3"),
    ("2020-02-30", "2020-02-30", "2020-02-30"),
    ("2020-02-03", "2020-02-03", "2020-02-03T00:00:00Z"),
    ("2020-2-3", "2020-2-3", "2020-02-03T00:00:00Z"),
    ("2020-02-03T04:05:06+01:30", "2020-02-03T04:05:06+01:30", "2020-02-03T04:05:06+01:30"),
    ("2020-02-03 04:05:06.70", "2020-02-03 04:05:06.70", "2020-02-03T04:05:06.7Z"),
    ("=", "=", "="),
    ("NaN", "NaN", "NaN"),
    ("!!str 1", "1", "1"),
    ("!!int '7'", 7, 7),
    ("!!binary aGk=", "hi", "hi"),
    ("!mine 1", "1", "1"),
    ("'no'", "no", "no"),
    ('"\\u00e9"', "é", "é"),
]


@pytest.mark.parametrize(("text", "seen", "_"), SCALARS)
def test_a_scalar_is_what_kubernetes_sees(text: str, seen: Any, _: Any) -> None:
    [found] = kubernetes(f"a: {text}\n")
    assert repr(found) == repr({"a": seen})


@pytest.mark.parametrize(("text", "_", "seen"), SCALARS)
def test_a_scalar_is_what_kustomize_sees(text: str, _: Any, seen: Any) -> None:
    [found] = kustomize(f"a: {text}\n")
    assert repr(found) == repr({"a": seen})


STRUCTURES: list[tuple[str, list[Any]]] = [
    ("", []),
    ("# nothing\n---\n---\nnull\n", []),
    ("a: 1\n---\nb: 2\n---   # and\nc: 3\n", [{"a": 1}, {"b": 2}, {"c": 3}]),
    ("\ufeffa: 1\r\nb: |\r\n  x\r\n  y\r\n", [{"a": 1, "b": "x\ny\n"}]),
    ('{"a": [1, {"b": null}], "c": "\\/"}', [{"a": [1, {"b": None}], "c": "/"}]),
    ("a: &x {p: 1}\nb: *x\n", [{"a": {"p": 1}, "b": {"p": 1}}]),
    ("a: &x {p: 1, q: 1}\nb: {<<: *x, q: 2}\n", [{"a": {"p": 1, "q": 1}, "b": {"q": 2, "p": 1}}]),
    (
        "a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}\n",
        [{"a": {"p": 1}, "b": {"p": 2, "q": 2}, "c": {"p": 1, "q": 2}}],
    ),
    ("a: 1\n...\nthis is not read\n", [{"a": 1}]),
]


@pytest.mark.parametrize(("text", "documents"), STRUCTURES)
def test_documents_are_read_whole(text: str, documents: list[Any]) -> None:
    assert kubernetes(text) == documents
    assert kustomize(text) == documents


def test_keys_are_strings_to_kubernetes_whatever_they_look_like() -> None:
    assert kubernetes("1: a\ntrue: b\non: c\n1.5: d\n", duplicates="last") == [{"1": "a", "true": "c", "1.5": "d"}]


def test_an_alias_is_a_copy() -> None:
    [found] = kubernetes("a: &x [1]\nb: *x\n")
    found["a"].append(2)
    assert found["b"] == [1]


def test_the_first_or_the_last_of_equal_keys_counts_where_that_is_asked_for() -> None:
    text = "a: 1\na: 2\n"
    assert kubernetes(text, duplicates="first") == [{"a": 1}]
    assert kubernetes(text, duplicates="last") == [{"a": 2}]


REFUSALS: list[tuple[str, str]] = [
    ("a: 1\na: 2\n", "f.yaml:2:1: mapping key 'a' already defined"),
    ("a:\n\t- b\n", "f.yaml:2:1: found character that cannot start any token while scanning for the next token"),
    ("a: 1\n--- b\nc: 1\n", "f.yaml:2: invalid document separator (only a comment may follow '---')"),
    (
        "ok: 1\n---\na: @b\n",
        "f.yaml:3:4: found character that cannot start any token while scanning for the next token",
    ),
    ("a: *b\n", "f.yaml:1:4: unknown anchor 'b'"),
    ("a: &b [*b]\n", "f.yaml:1:8: anchor 'b' contains itself"),
    ("a: .inf\n", "f.yaml:1:4: '.inf' has no place in JSON"),
    ("[1]: a\n", "f.yaml:1:1: a mapping key must be a string"),
    ("a: {<<: 1}\n", "f.yaml:1:5: map merge requires map or sequence of maps as the value"),
    ("a: !!int x\n", "f.yaml:1:4: cannot decode 'x' as !!int"),
    ("a: \0\n", "f.yaml: control characters are not allowed"),
]


@pytest.mark.parametrize(("text", "message"), REFUSALS)
def test_what_is_refused_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidYaml) as caught:
        kubernetes(text)
    assert str(caught.value) == message


def test_an_anchor_does_not_reach_the_next_document() -> None:
    with pytest.raises(InvalidYaml, match="unknown anchor 'x'"):
        kubernetes("a: &x 1\n---\nb: *x\n")


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


HOSTILE = {
    "an alias bomb": bomb(12).encode(),
    "10,000 brackets": b"[" * 10_000,
    "200,000 braces": b"{a: " * 200_000,
    "5,000 levels of lists": b"- " * 5_000,
    "200 MB": bytes(200 << 20),
    "a binary file": bytes(range(256)) * 100,
    "an anchor in itself": b"&a [*a]",
    "half a character": b"a: \xc3",
    "200,000 open quotes": b'"' * 200_001,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("mode", ["kubernetes", "kustomize"])
def test_hostile_input_is_refused_within_a_second(name: str, mode: Any) -> None:
    begun = time.process_time()
    with pytest.raises((InvalidYaml, LimitExceeded)) as caught:
        read_documents(HOSTILE[name], file="f.yaml", mode=mode)
    assert time.process_time() - begun < 5.0
    assert str(caught.value).startswith("f.yaml")
    assert len(str(caught.value)) < 300


def test_limits_can_be_set() -> None:
    deep = b"a: {b: {c: 1}}"
    assert kubernetes(deep, limits=YamlLimits(depth=3)) == [{"a": {"b": {"c": 1}}}]
    with pytest.raises(LimitExceeded, match="nested deeper than 2 levels"):
        kubernetes(deep, limits=YamlLimits(depth=2))


def test_a_field_is_found_in_its_line() -> None:
    text = "# first\na: 1\n---\nkind: X\nspec:\n  list:\n  - x: 1\n    y: 2\n  - x: 3\n"
    document = read_documents(text.encode(), file="f.yaml")[1]
    places = {
        (): Place("f.yaml", 4),
        ("spec",): Place("f.yaml", 5, 1),
        ("spec", "list", 0, "y"): Place("f.yaml", 8, 5),
        ("spec", "list", 1): Place("f.yaml", 9, 5),
        ("spec", "missing", "more"): Place("f.yaml", 5, 1),
        ("nothing",): Place("f.yaml", 4),
    }
    assert {path: document.place(path) for path in places} == places
    assert read_documents(b"items:\n- a: 1\n\n- b: 2\n", file="f")[0].item_lines("items") == [2, 4]
