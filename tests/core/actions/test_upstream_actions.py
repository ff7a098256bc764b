"""Argo CD's own cases of every action that it ships, where its module is at hand: what is offered and what is written."""

from pathlib import Path
from typing import Any

import pytest

from argo_cd_module import load, newest
from kilde.core.actions.action import Call
from kilde.core.actions.running import offered, run

FOLDER = newest()
NOW = 1_800_000_000.0
MOMENT, NO_MOMENT = "2027-01-15T08:00:00Z", "0001-01-01T00:00:00Z"
BY_US = "Job was terminated explicitly through Kilde"
ON_PURPOSE = {
    "apps/Deployment pause": "their file has what a controller wrote afterwards, and they do not compare it either",
    "apps/Deployment resume": "the same",
    "batch/Job terminate completed": "not offered, and what is not offered is not run here",
    "batch/Job terminate failed": "not offered",
    "numaflow.numaproj.io/MonoVertex force-promote": "their file lacks an annotation that the object has",
    "numaflow.numaproj.io/Pipeline force-promote": "the same",
    "postgresql.cnpg.io/Cluster suspend": "they compare no annotations of a Cluster",
    "postgresql.cnpg.io/Cluster resume": "they compare no annotations of a Cluster",
}


def files(folder: Path) -> list[tuple[str, Path, Any]]:
    found = sorted(folder.rglob("action_test.yaml"))
    return [(str(file.parent.parent.relative_to(folder)), file.parent, load(file)) for file in found]


def plain(value: Any) -> Any:
    """Without what is empty, with the moment and the speaker of theirs for ours."""
    if isinstance(value, dict):
        found = {key: plain(one) for key, one in value.items()}
        return {key: one for key, one in found.items() if one not in ({}, None)}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if value == f"By Argo CD at: {NO_MOMENT[:-1]}":
        return NO_MOMENT
    return {MOMENT: NO_MOMENT, BY_US: BY_US.replace("Kilde", "Argo CD")}.get(value, value) if value else value


@pytest.mark.skipif(FOLDER is None, reason="Argo CD's module is not in Go's module cache")
def test_every_object_of_argo_cds_cases_offers_what_it_offers_there() -> None:
    assert FOLDER is not None
    wrong, count = {}, 0
    for kind, folder, tests in files(FOLDER):
        for case in tests.get("discoveryTests") or ():
            expected = sorted(
                (one["name"], bool(one.get("disabled")), one.get("displayName") or "", one.get("iconClass") or "")
                for one in case["result"]
            )
            found = [(one.name, one.disabled, one.title, one.icon) for one in offered(load(folder / case["inputPath"]))]
            count += 1
            if found != expected:
                wrong[f"{kind} {case['inputPath']}"] = (expected, found)

    assert count > 80
    assert wrong == {}


@pytest.mark.skipif(FOLDER is None, reason="Argo CD's module is not in Go's module cache")
def test_every_action_of_argo_cds_cases_writes_what_it_writes_there() -> None:
    assert FOLDER is not None
    wrong, count = {}, 0
    for kind, folder, tests in files(FOLDER):
        for case in tests.get("actionTests") or ():
            name = f"{kind} {case['action']}"
            if name in ON_PURPOSE or f"{name} {Path(case['inputPath']).stem}" in ON_PURPOSE:
                continue
            count += 1
            obj = load(folder / case["inputPath"])
            now = {one.name: one.disabled for one in offered(obj)}
            if case.get("expectedErrorMessage") or now[case["action"]]:  # theirs are run though they are not to be
                continue
            [impact] = run(obj, case["action"], Call(case.get("parameters") or {}, NOW))
            expected = load(folder / case["expectedOutputPath"])
            if impact.operation == "patch" and plain(impact.body) != plain(expected):
                wrong[f"{name} {case['inputPath']}"] = (plain(expected), plain(impact.body))

    assert count > 80
    assert wrong == {}
