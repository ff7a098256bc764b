"""The table of retired API versions, held against the schemas that Kubernetes publishes for each release."""

import itertools

from core.check.repository import application, checked
from kilde.core.check.api_versions import RETIRED
from kilde.core.objects.kinds import is_namespaced
from kilde.core.objects.ref import join_api_version, split_api_version
from kilde.core.objects.typed.schema import VERSIONS, builtin

Kinds = set[tuple[str, str]]
_OLDEST = tuple(int(part) for part in VERSIONS[0].split("."))


def served(version: str) -> Kinds:
    """Objects that people write: what is in all groups (options) and lists are none."""
    return {
        (join_api_version(kind.group, kind.version), kind.kind)
        for kind in builtin(version).kinds
        if is_namespaced(kind.group, kind.kind) is not None
    }


def test_what_a_release_stopped_serving_is_in_the_table_with_that_release() -> None:
    found = {}
    for before, after in itertools.pairwise(VERSIONS):
        for gone in served(before) - served(after):
            found[gone] = tuple(int(part) for part in after.split("."))

    assert found == {key: row.removed for key, row in RETIRED.items() if _OLDEST < row.removed < (99, 0)}


def test_what_is_said_to_be_gone_is_not_served_and_the_rest_is() -> None:
    for version in VERSIONS:
        release, here = tuple(int(part) for part in version.split(".")), served(version)
        gone = {key for key, row in RETIRED.items() if row.removed <= release}

        assert gone & here == set()
        assert {key for key, row in RETIRED.items() if row.removed[0] == 99} <= here


def test_what_is_to_be_used_instead_is_served_by_the_newest_release() -> None:
    for row in RETIRED.values():
        assert row.deprecated <= row.removed
        api_version, _, kind = row.instead.partition(" ")
        assert not row.instead or (api_version, kind) in served(VERSIONS[-1]), row


def test_a_release_that_does_not_serve_the_newest_version_yet_is_told_what_it_serves() -> None:
    address = "apiVersion: networking.k8s.io/v1alpha1\nkind: IPAddress\nmetadata:\n  name: 10.0.0.1\nspec: {}\n"
    files = {"a.yaml": application("web", "apps"), "apps/a.yaml": address}
    hints = {
        version: [each.hint for each in checked(files, version=version) if each.rule == "api-removed"]
        for version in ("1.31", "1.33")
    }

    assert hints == {
        "1.31": ["use networking.k8s.io/v1beta1 IPAddress"],
        "1.33": ["use networking.k8s.io/v1 IPAddress"],
    }


def test_groups_are_spelled_as_they_are_known() -> None:
    groups = {kind.group for version in VERSIONS for kind in builtin(version).kinds} | {"extensions"}

    assert {split_api_version(api_version)[0] for api_version, _ in RETIRED} <= groups
