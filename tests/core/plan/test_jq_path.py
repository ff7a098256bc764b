"""jq expressions that name fields: what they name, beside jq's own del; and what is refused: what might not end, or looks around."""

import json
import time

import jq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.ignore import IgnoreRule, drop, pointers_for
from kilde.core.plan.jq_path import JqPath, read_jq_path

DEPLOYMENT = {
    "metadata": {"name": "web", "annotations": {"a/b": "1", "c": "2"}, "labels": {"def": "x"}},
    "spec": {
        "replicas": 3,
        "big": 9007199254740993,
        "template": {
            "spec": {
                "initContainers": [{"name": "inject"}, {"name": "mine"}, {"name": "inject"}],
                "containers": [{"name": "app", "env": [{"name": "A", "value": "1"}, {"name": "B"}]}, {"name": "side"}],
            }
        },
    },
}
EXPRESSIONS = (
    ".spec.replicas",
    ".spec.missing.deep",
    '.metadata.annotations["a/b"]',
    '.spec.template.spec.initContainers[] | select(.name == "inject")',
    ".spec.template.spec.containers[].env",
    '.spec.template.spec.containers[] | select(.name == "app").env[] | select(.name | startswith("B"))',
    '.spec.template.spec.containers[] | select(.name | test("^s"))',
    ".metadata.annotations | to_entries | .[0]",
    ".. | .env?",
    ".spec.template.spec.containers[0,1].name",
    ".spec.template.spec.containers[-1:]",
    ".metadata.labels.def",
    '.spec.template.spec.containers | map(select(.name == "def")) ',
)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_what_it_names_goes_as_with_del(text: str) -> None:
    found = read_jq_path(text)
    assert isinstance(found, JqPath), found
    try:
        wanted = jq.compile(f"del({text})").input_value(DEPLOYMENT).first()
    except ValueError:
        wanted = DEPLOYMENT
    kept = drop(DEPLOYMENT, [found])
    assert json.loads(json.dumps(kept)) == {**wanted, "spec": {**wanted["spec"], "big": DEPLOYMENT["spec"]["big"]}}  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("env", "may not use env"),
        ("$ENV.PATH", "may not use $ENV"),
        (".a | env.HOME", "may not use env"),
        ("input", "may not use input"),
        ('import "x" as y; .', "may not use import"),
        ("def f: f; f", "may not use def"),
        ("repeat(.)", "may not use repeat"),
        ("[range(1e12)]", "may not use range"),
        (".a as $x | $x", "may not use as"),
        ("..|..|..", "has more than 2 of '..'"),
        ("(.a,.a)" + "|(.a,.a)" * 9, "has more than 8 of ','"),
        ('"x" * 1e9', "has more than 0 of '*'"),
        ('"\\(.a)"', "may not interpolate"),
        (".spec[", "is not a jq expression"),
        ("x" * 3000, "is longer than 2000 characters"),
    ],
)
def test_what_might_not_end_or_looks_around_is_refused(text: str, says: str) -> None:
    found = read_jq_path(text)
    assert isinstance(found, str)
    assert says in found


def test_fields_may_be_called_as_functions_are() -> None:
    assert isinstance(read_jq_path(".spec.env[].range, .input.def"), JqPath)
    assert isinstance(read_jq_path('.metadata.annotations["env def import"]'), JqPath)


def test_a_regular_expression_that_goes_astray_ends() -> None:
    found = read_jq_path('.a | select(test("(x+x+)+y"))')
    assert isinstance(found, JqPath)
    begun = time.process_time()
    found.pointers({"a": "x" * 200})
    assert time.process_time() - begun < 20


@given(
    st.dictionaries(
        st.sampled_from("abc"), st.lists(st.dictionaries(st.sampled_from("xy"), st.integers(0, 2))), max_size=3
    )
)
def test_of_a_list_any_items_go(body: dict[str, list[dict[str, int]]]) -> None:
    rule = IgnoreRule(group="*", kind="*", pointers=(JqPath(".[][] | select(.x == 1)"),))
    where = pointers_for([rule], ObjectRef("", "X", "", "x"))
    assert drop(body, where) == {key: [item for item in items if item.get("x") != 1] for key, items in body.items()}
