"""No damage to an object breaks a check: of every case each value in turn becomes what does not belong there."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kilde.core.basics.values import Object
from kilde.core.health.assess import assess
from kilde.core.health.health import Health
from kilde.core.objects.yaml_reader import read_documents

HERE = Path(__file__).parent
ALIEN = (
    None, True, 0, -1, 1.5, 10**400, math.inf, math.nan, "", "x", "7", "\u00e9\x00", [], {}, [None], [[]], [{}], ["x"], {"a": None},
    {"": []}, [{"type": None, "status": 1, "reason": {}, "message": []}], [{"type": "Ready", "status": True, "message": {}}],
)  # fmt: skip


def documents(file: Path) -> list[Object]:
    return [document.value for document in read_documents(file.read_bytes(), file=file.name)]


def objects() -> Iterator[Object]:
    for file in sorted((HERE / "cases_custom").glob("*.yaml")):
        for kind in documents(file):
            head = {key: kind[key] for key in ("apiVersion", "kind")}
            yield from ({**head, **body} for _, _, body in kind["cases"])
    for file in sorted((HERE / "cases").glob("*/*.yaml")):
        yield documents(file)[0]


def damaged(value: Any) -> Iterator[Any]:
    """The value as something else, and with each of its parts gone or damaged."""
    yield from ALIEN
    if isinstance(value, dict):
        for key, below in value.items():
            yield {other: one for other, one in value.items() if other != key}
            yield from ({**value, key: one} for one in damaged(below))
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield from ([*value[:at], one, *value[at + 1 :]] for one in damaged(below))


@pytest.mark.parametrize("field", ["metadata", "spec", "status"])
def test_no_damage_to_an_object_breaks_its_check(field: str) -> None:
    for obj in objects():
        for value in damaged(obj.get(field)):
            found = assess({**obj, field: value})
            assert isinstance(found, Health), (obj["kind"], value)
            assert isinstance(found.message, str), (obj["kind"], value)


def test_a_status_of_a_thousandfold_length_is_judged_in_time() -> None:
    """A list of many like elements: what is quadratic in them takes minutes, what is not, moments."""
    for obj in {str((obj["apiVersion"], obj["kind"], _lengths(obj))): obj for obj in objects()}.values():
        assert isinstance(assess(_lengthened(obj)), Health)


def _lengths(value: Any) -> list[str]:
    """Where its lists are."""
    if isinstance(value, dict):
        return sorted({f"{key}.{place}" for key, below in value.items() for place in _lengths(below)})
    return ["[]"] if isinstance(value, list) and value else []


def _lengthened(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lengthened(below) for key, below in value.items()}
    return value * 1_000 if isinstance(value, list) else value
