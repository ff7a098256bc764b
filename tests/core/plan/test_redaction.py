"""Messages about Secrets never quote their values, whoever wrote the message."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.plan.masking import masked, redacted


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(**blocks: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, **blocks}


@pytest.mark.parametrize(
    ("blocks", "said", "told"),
    [
        ({"stringData": {"p": "hunter2"}}, 'Invalid value: "hunter2"', 'Invalid value: "********"'),
        ({"data": {"p": encoded("hunter2")}}, "hunter2 was denied", "******** was denied"),
        ({"data": {"p": encoded("hunter2")}}, f"value {encoded('hunter2')}", "value ********"),
        ({"stringData": "hunter2"}, "expected map, got &{hunter2}", "expected map, got &{********}"),
        ({"stringData": {"p": ["hunter2", 77]}}, "got &{[hunter2 77]}", "got &{[******** ********]}"),
        ({"stringData": {"p": 'a "quoted"\nline'}}, r'value: "a \"quoted\"\nline"', 'value: "********"'),
        ({"stringData": {"p": "1"}}, "10 objects, 1 refused", "10 objects, ******** refused"),
        ({"stringData": {"p": ""}}, "nothing to hide", "nothing to hide"),
    ],
)
def test_a_value_is_hidden_as_written_decoded_and_quoted(blocks: dict[str, object], said: str, told: str) -> None:
    assert redacted(said, secret(**blocks)) == told


def test_other_kinds_are_quoted_as_they_are() -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"p": "hunter2"}}
    assert redacted("hunter2", body, None) == "hunter2"


starless = st.text(st.characters(exclude_characters="*", exclude_categories=("Cs",)))


@given(starless.filter(lambda text: len(text) > 3), starless, starless)
def test_no_value_of_four_characters_or_more_is_left(value: str, before: str, after: str) -> None:
    assert value not in redacted(f"{before}{value}{after}", secret(stringData={"p": value}))


@pytest.mark.parametrize("block", ["hunter2", ["hunter2"], {"p": "hunter2"}, {"p": {"q": "hunter2"}}])
def test_a_block_of_any_type_is_masked(block: object) -> None:
    assert "hunter2" not in str(masked(secret(data=block, stringData=block)))
