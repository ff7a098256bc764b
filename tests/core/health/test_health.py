"""Health of live objects: every file in cases/ is an object and, after ---, what Argo CD says of it."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.health.assess import assess, counts
from kilde.core.health.checks import CHECKS
from kilde.core.health.health import HEALTHY, Health, HealthStatus, aggregate, degraded, progressing
from kilde.core.objects.yaml_reader import read_documents

FOLDER = Path(__file__).parent / "cases"
CASES = sorted(FOLDER.glob("*/*.yaml"))
STATUSES = st.sampled_from(list(HealthStatus))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_an_object_is_judged_as_its_case_says(case: Path) -> None:
    obj, expected = (document.value for document in read_documents(case.read_bytes(), file=case.name))
    assert assess(obj) == Health(HealthStatus(expected["status"]), expected.get("message", ""))


def test_every_kind_with_a_check_has_cases() -> None:
    judged = set()
    for case in CASES:
        obj = read_documents(case.read_bytes(), file=case.name)[0].value
        judged.add((obj["apiVersion"].rpartition("/")[0], obj["kind"]))
    assert judged == {(kind.group, kind.kind) for kind in CHECKS}


def test_a_kind_without_a_check_has_no_health() -> None:
    assert assess({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}) is None
    going = {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert assess({"apiVersion": "v1", "kind": "ConfigMap", "metadata": going}) == progressing("Pending deletion")


@pytest.mark.parametrize("kind", CHECKS, ids=str)
@given(spec=JSON, status=JSON, metadata=JSON)
def test_no_shape_of_an_object_breaks_a_check(
    kind: tuple[str, str], spec: object, status: object, metadata: object
) -> None:
    version = (CHECKS[kind].versions or ("v1",))[0]
    api_version = f"{kind[0]}/{version}" if kind[0] else version
    obj = {"apiVersion": api_version, "kind": kind[1], "metadata": metadata, "spec": spec, "status": status}
    assert isinstance(assess(obj), Health)


def test_the_words_are_ordered_from_best_to_worst() -> None:
    words = ["Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown"]
    assert [str(status) for status in HealthStatus] == words
    for better, worse in itertools.pairwise(HealthStatus):
        assert worse.is_worse_than(better)
        assert not better.is_worse_than(worse)


@given(st.lists(STATUSES, min_size=1))
def test_an_application_is_as_well_as_its_worst_live_object(statuses: list[HealthStatus]) -> None:
    worst = max(statuses, key=lambda status: status.badness)
    assert aggregate([Health(status) for status in statuses]) == worst
    assert aggregate([None, *(Health(status) for status in statuses)], missing=3) == worst


def test_missing_objects_count_only_when_nothing_is_left() -> None:
    assert aggregate([]) is HealthStatus.HEALTHY
    assert aggregate([], missing=1) is HealthStatus.MISSING
    assert aggregate([None], missing=1) is HealthStatus.HEALTHY
    assert aggregate([HEALTHY, degraded("x")], missing=1) is HealthStatus.DEGRADED


def test_an_object_may_be_kept_out_of_the_count() -> None:
    annotated = {"metadata": {"annotations": {"argocd.argoproj.io/ignore-healthcheck": "true"}}}
    assert not counts(annotated)
    assert counts({"metadata": {"annotations": {"argocd.argoproj.io/ignore-healthcheck": "false"}}})
    assert counts({"metadata": {}})
