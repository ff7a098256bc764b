"""The health of custom resources as Argo CD's own tests have it, from the shared conformance cases."""

import json
from pathlib import Path

import pytest

from kilde.core.health.assess import assess
from kilde.core.health.health import Health, HealthStatus

SHARED = Path(__file__).resolve().parents[4] / "shared" / "conformance" / "argocd" / "health.json"
CASES = json.loads(SHARED.read_text()) if SHARED.exists() else []


@pytest.mark.skipif(not CASES, reason="no ../shared/conformance/argocd/health.json")
def test_every_shared_case_is_judged_as_argo_cd_judges_it() -> None:
    wrong = {}
    for case in CASES:
        expected = Health(HealthStatus(case["expect"]["status"]), case["expect"].get("message", ""))
        found = assess(case["object"])
        if found != expected:
            wrong[f"{case['group']}/{case['kind']} {case['case']}"] = (expected, found)

    assert len(CASES) >= 300
    assert wrong == {}
