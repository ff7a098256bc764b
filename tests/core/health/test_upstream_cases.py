"""Argo CD's own cases of every check that it ships, where its module is at hand: ours say the same, or why not is here."""

from pathlib import Path
from typing import Any

import pytest

from argo_cd_module import load, newest
from kilde.core.health.assess import assess
from kilde.core.health.lua import lua_judge

FOLDER = newest()
PENDING = ("Progressing", "Pending deletion")
ON_PURPOSE = {
    ("bitnami.com/SealedSecret", "stale_healthy"),
    ("bitnami.com/SealedSecret", "stale_degraded"),
    ("bitnami.com/SealedSecret", "missing_observed_generation"),
}
"""A SealedSecret's generation counts from 3.6 on; the recorded cases are of 3.5, where it does not."""


def cases(folder: Path) -> list[tuple[str, str, dict[str, Any], tuple[str, str]]]:
    found = []
    for file in sorted(folder.rglob("health_test.yaml")):
        kind = str(file.parent.relative_to(folder))
        for case in load(file)["tests"]:
            named = {key.lower(): value for key, value in case.items()}
            path, health = file.parent / named["inputpath"], named["healthstatus"]
            found.append((kind, path.stem, load(path), (health["status"], health.get("message") or "")))
    return found


@pytest.mark.skipif(FOLDER is None, reason="Argo CD's module is not in Go's module cache")
def test_every_case_of_argo_cd_is_judged_as_it_judges_it() -> None:
    assert FOLDER is not None
    wrong, differ, count = {}, set(), 0
    for kind, name, obj, expected in cases(FOLDER):
        found = assess(obj)
        verdict = (str(found.status), found.message) if found else None
        count += 1
        if verdict == expected:
            continue
        if verdict == PENDING:  # Argo CD's controller, too, says this of all that is on its way out, and asks no check
            obj["metadata"].pop("deletionTimestamp")
            found = assess(obj)
            verdict = (str(found.status), found.message) if found else None
            is_about_deletion = "delet" in name or "terminating" in name
            if verdict == expected or is_about_deletion:
                continue
        if (kind, name) in ON_PURPOSE:
            differ.add((kind, name))
        else:
            wrong[f"{kind} {name}"] = (expected, verdict)

    assert count > 900
    assert wrong == {}
    assert differ <= ON_PURPOSE


@pytest.mark.skipif(FOLDER is None, reason="Argo CD's module is not in Go's module cache")
@pytest.mark.parametrize("start", ["", "goto start ::start:: "], ids=["plain", "jumping"])
def test_the_sandbox_runs_argo_cds_own_scripts_as_its_engine_does(start: str) -> None:
    assert FOLDER is not None
    wrong, count = {}, 0
    for kind, name, obj, expected in cases(FOLDER):
        own = (
            FOLDER / obj["apiVersion"].partition("/")[0] / obj["kind"] / "health.lua"
        )  # goes before one with wildcards
        script = own if own.exists() else FOLDER / kind / "health.lua"
        found = lua_judge(start + script.read_text())(obj)
        verdict = (str(found.status), found.message) if found else None
        count += 1
        if verdict != expected:
            wrong[f"{kind} {name}"] = (expected, verdict)

    assert count > 900
    assert wrong == {}
