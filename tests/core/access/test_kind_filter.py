"""Kinds that an installation takes out of all applications: each row of Argo CD's table, and settings that cannot be read."""

import pytest

from kilde.core.access.kind_filter import KindFilter, read_kind_filter
from kilde.core.basics.errors import InvalidInput

HOME = "https://kubernetes.default.svc"
DEPLOYMENTS = "- apiGroups: [apps]\n  kinds: [Deployment]\n"
ELSEWHERE = "- apiGroups: [apps]\n  kinds: [Deployment]\n  clusters: ['https://east*']\n"


def read(exclusions: str | None = None, inclusions: str | None = None) -> KindFilter:
    told = {"resource.exclusions": exclusions, "resource.inclusions": inclusions}
    return read_kind_filter({key: text for key, text in told.items() if text is not None})


@pytest.mark.parametrize(
    ("exclusions", "inclusions", "group", "kind", "excluded"),
    [
        (None, None, "apps", "Deployment", False),
        ("", "", "apps", "Deployment", False),
        (None, DEPLOYMENTS, "apps", "Deployment", False),
        (None, DEPLOYMENTS, "apps", "StatefulSet", True),
        (DEPLOYMENTS, None, "apps", "Deployment", True),
        (DEPLOYMENTS, None, "apps", "StatefulSet", False),
        (DEPLOYMENTS, DEPLOYMENTS, "apps", "Deployment", True),
        (DEPLOYMENTS, DEPLOYMENTS, "apps", "StatefulSet", True),
        (ELSEWHERE, None, "apps", "Deployment", False),
        (None, ELSEWHERE, "apps", "StatefulSet", False),
        ("- apiGroups: ['*.example.com']", None, "a.example.com", "Anything", True),
        ("- kinds: ['*']\n  apiGroups: ['']", None, "", "ConfigMap", True),
        ("- kinds: ['Config*']", None, "", "ConfigMap", False),  # kinds are no globs
        ("- apiGroups: ['!apps']", None, "", "ConfigMap", False),  # nor is there a denial
        (None, None, "coordination.k8s.io", "Lease", True),
        (None, None, "", "Event", True),
        (None, None, "metrics.k8s.io", "PodMetrics", True),
        (None, "- kinds: [Event]", "", "Event", True),
    ],
)
def test_what_is_excluded(
    exclusions: str | None, inclusions: str | None, group: str, kind: str, excluded: bool
) -> None:
    assert read(exclusions, inclusions).excludes(HOME, group, kind) is excluded


def test_a_rule_for_one_cluster() -> None:
    found = read(ELSEWHERE)
    assert [found.excludes(server, "apps", "Deployment") for server in (HOME, "https://east.example")] == [False, True]


def test_where_nothing_is_said_orphans_are_not_looked_for_among_what_argo_cd_ships_as_excluded() -> None:
    asked = ("discovery.k8s.io", "EndpointSlice")
    assert (read().hides(HOME, *asked), read().excludes(HOME, *asked), read("").hides(HOME, *asked)) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kinds: [a]", "argocd-cm: resource.exclusions is not a list of apiGroups, kinds and clusters"),
        (
            "- kinds: Lease",
            "argocd-cm: argocd-cm.resource.exclusions[0].kinds: must be a list, not a string",
        ),
        ("- {", "resource.exclusions"),
    ],
)
def test_a_list_that_cannot_be_read_is_one_clear_error(text: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(text).check()
    assert words in str(caught.value)
