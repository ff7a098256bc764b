"""Every action that we know, on the objects of `cases/`: whether it can be run (true) or not, and what it then writes."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from kilde.core.actions.action import Call
from kilde.core.actions.kinds import KINDS
from kilde.core.actions.running import offered, run
from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.patches.merge_patch import patch_between

FOLDER = Path(__file__).parent / "cases"
NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
_ABOUT = ("patch", "create", "error")


def read() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for number, case in enumerate(yaml.safe_load(path.read_text())):
            found.append(pytest.param(case, id=f"{path.stem}-{number}"))
    return found


def action_of(one: dict[str, Any]) -> tuple[str, dict[str, str]]:
    [(name, parameters)] = [(key, value) for key, value in one.items() if key not in _ABOUT]
    return name, parameters


@pytest.mark.parametrize("case", read())
def test_what_an_object_offers_and_what_comes_of_it(case: dict[str, Any]) -> None:
    obj, before = case["object"], copy.deepcopy(case["object"])
    assert {one.name: not one.disabled for one in offered(obj)} == case["offers"]
    for one in case.get("runs", ()):
        name, parameters = action_of(one)
        if "error" in one:
            with pytest.raises(InvalidInput) as caught:
                run(obj, name, Call(parameters, NOW))
            assert caught.value.what == one["error"]
            continue
        [impact] = run(obj, name, Call(parameters, NOW))
        if "create" in one:
            assert (impact.operation, impact.body) == ("create", one["create"])
        else:
            assert (impact.operation, patch_between(obj, impact.body)) == ("patch", one["patch"])
    assert obj == before


def test_every_file_of_kinds_has_its_cases_and_every_action_was_run() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(KINDS.values())
    ran: set[tuple[str, str]] = set()
    there: set[tuple[str, str]] = set()
    for path in FOLDER.glob("*.yaml"):
        for case in yaml.safe_load(path.read_text()):
            there |= {(path.stem, name) for name in case["offers"]}
            ran |= {(path.stem, action_of(one)[0]) for one in case.get("runs", ()) if "error" not in one}
    assert there == ran
