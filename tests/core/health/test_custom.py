"""Health of custom resources: each file in cases_custom/ has the cases of a file in core/health/checks."""

from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.values import Object
from kilde.core.health import checks
from kilde.core.health.assess import assess
from kilde.core.health.custom import custom_judge
from kilde.core.health.health import Health, HealthStatus
from kilde.core.health.judging import Judge
from kilde.core.objects.ref import split_api_version
from kilde.core.objects.yaml_reader import read_documents

FILES = sorted((Path(__file__).parent / "cases_custom").glob("*.yaml"))
MODULES = sorted({*checks.CUSTOM.values(), *checks.FAMILIES.values()})
ANY = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
WORD = st.sampled_from(["True", "False", "Unknown", "Ready", "Synced", "Failed", "a"])
FIELD = st.sampled_from(["type", "status", "reason", "message", "severity"])
CONDITIONS = st.lists(ANY | st.dictionaries(FIELD, WORD | ANY, max_size=4), max_size=3)
KEY = st.sampled_from(
    ["conditions", "phase", "state", "status", "message", "statuses", "ingress", "observedGeneration"]
)
STATUS = ANY | st.dictionaries(KEY, ANY | CONDITIONS, max_size=4)


def kinds(module: str) -> dict[str, Judge]:
    return dict(import_module(f"{checks.__name__}.{module}").KINDS)


def documents(file: Path) -> list[Object]:
    return [document.value for document in read_documents(file.read_bytes(), file=file.name)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_object_is_judged_as_its_case_says(file: Path) -> None:
    wrong = []
    for kind in documents(file):
        head = {key: kind[key] for key in ("apiVersion", "kind")}
        for status, message, body in kind["cases"]:
            found, expected = assess({**head, **body}), Health(HealthStatus(status), message)
            if found != expected:
                wrong.append((head, body, expected, found))

    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_every_kind_has_cases_and_one_of_them_is_unwell(module: str) -> None:
    named, verdicts = set(), set()
    for kind in documents(FILES[0].with_name(f"{module}.yaml")):
        group, _ = split_api_version(kind["apiVersion"])
        name = kind["kind"]
        named.add(next((key for key in (f"{group}/{name}", name) if key in kinds(module)), "_"))
        verdicts |= {status for status, _, _ in kind["cases"]}

    assert named == set(kinds(module))
    assert verdicts - {"Healthy"}


def test_every_file_of_cases_belongs_to_a_file_of_checks() -> None:
    assert [file.stem for file in FILES] == MODULES


@given(status=STATUS, metadata=ANY, spec=ANY)
def test_no_shape_of_a_status_breaks_a_check(status: object, metadata: object, spec: object) -> None:
    for module in MODULES:
        for name, judge in kinds(module).items():
            obj = {"apiVersion": "a/v1", "kind": name, "metadata": metadata, "spec": spec, "status": status}
            assert isinstance(judge(obj), Health)


@pytest.mark.parametrize(
    ("group", "kind", "has"),
    [
        ("iam.aws.crossplane.io", "User", True),
        ("crossplane.io", "User", False),
        ("notcrossplane.io", "User", False),
        ("operator.victoriametrics.com", "VMAgent", True),
        ("argoproj.io", "AppProject", False),
        ("", "ConfigMap", False),
    ],
)
def test_a_kind_is_found_by_its_group_or_a_domain_above_it(group: str, kind: str, has: bool) -> None:
    assert (custom_judge(group, kind) is not None) is has
