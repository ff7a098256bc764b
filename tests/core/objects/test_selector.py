"""Selectors: what they select, and what the server says of wrong ones."""

from typing import Any

import pytest

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.selector import EVERYTHING, FieldTerm, label_selector, parse_fields, parse_labels

_WEB = {"app": "web", "tier": "1", "empty": ""}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app = web", True),
        ("app=api", False),
        ("app!=web", False),
        ("other!=x", True),
        ("app", True),
        ("!app", False),
        ("! other", True),
        ("app in (web, api)", True),
        ("app in (api)", False),
        ("app notin (web)", False),
        ("other notin (x)", True),
        ("app in ()", False),
        ("empty in ()", True),
        ("empty in (,x)", True),
        ("empty=", True),
        ("app=", False),
        ("tier>0", True),
        ("tier<1", False),
        ("app>0", False),
        ("other>0", False),
        ("app=web,tier=1", True),
        ("app=web,tier=2", False),
        ("in", False),
        ("in=x,app", False),
        ("a.example.com/app-x!=1", True),
    ],
)
def test_labels_are_selected(text: str, selected: bool) -> None:
    assert parse_labels(text).matches(_WEB) is selected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("app=web,", "found '', expected: identifier after ','"),
        ("=x", "found '=', expected: !, identifier, or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("app in web", "unable to parse requirement: found 'web' expected: '('"),
        ("app in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("app=web tier", "found 'tier', expected: ',' or 'end of string'"),
        (
            "v>a",
            "unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer",
        ),
    ],
)
def test_a_wrong_label_selector_is_told_as_the_server_tells_it(text: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_labels(text)
    assert caught.value.what == words


@pytest.mark.parametrize("text", ["-a", "a/b/c", "/a", "A.com/x=1", "a=-", "a=" + "x" * 64, "x" * 64])
def test_keys_and_values_that_no_label_can_have_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="Invalid value"):
        parse_labels(text)


@pytest.mark.parametrize(
    ("raw", "selected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "x"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}, {"key": "x", "operator": "DoesNotExist"}]}, True),
    ],
)
def test_a_selector_object_selects(raw: Any, selected: bool) -> None:
    assert label_selector(raw).matches(_WEB) is selected


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {"matchExpressions": ["x"]},
        {"matchExpressions": [{"key": "a", "operator": "Near"}]},
        {"matchExpressions": [{"key": "a", "operator": "In"}]},
    ],
)
def test_a_wrong_selector_object_is_refused(raw: Any) -> None:
    with pytest.raises(InvalidInput):
        label_selector(raw)


def test_a_selector_knows_whether_it_selects_everything() -> None:
    assert EVERYTHING.everything
    assert parse_labels("").everything
    assert not parse_labels("a").everything
    assert not label_selector(None).everything


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("metadata.name=a", (FieldTerm("metadata.name", "a"),)),
        ("b!=2,a==1", (FieldTerm("a", "1"), FieldTerm("b", "2", equal=False))),
        (r"a=x\,y\=z\\", (FieldTerm("a", "x,y=z\\"),)),
        ("a=", (FieldTerm("a", ""),)),
    ],
)
def test_field_selectors_are_read(text: str, terms: Any) -> None:
    assert parse_fields(text) == terms


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a", "invalid selector: 'a'; can't understand 'a'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        (r"a=\n", r"invalid field selector: invalid escape sequence: \n"),
        ("a=\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_a_wrong_field_selector_is_told_as_the_server_tells_it(text: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_fields(text)
    assert caught.value.what == words
