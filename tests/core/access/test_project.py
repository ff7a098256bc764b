"""What a project permits."""

import pytest

from kilde.core.access.globs import matches
from kilde.core.access.project import Project, permissive, read_project


def project(**spec: object) -> Project:
    return read_project({"metadata": {"name": "shop"}, "spec": spec})


@pytest.mark.parametrize(
    ("pattern", "text", "separator", "fits"),
    [
        ("*", "a/b", "/", True),
        ("a/*", "a/b", "/", True),
        ("a/*", "a/b/c", "/", False),
        ("a/**", "a/b/c", "/", True),
        ("a*", "a/b", "", True),
        ("team-?", "team-1", "", True),
        ("team-[a-c]", "team-b", "", True),
        ("team-[!a-c]", "team-b", "", False),
        ("{a,b}-*", "b-x", "", True),
        ("!a*", "b", "", True),
        ("!a*", "ab", "", False),
        (r"\*", "*", "", True),
        ("{a", "a", "", False),
        ("!{a", "b", "", False),
        ("a.c", "abc", "", False),
    ],
)
def test_globs(pattern: str, text: str, separator: str, fits: bool) -> None:
    assert matches(pattern, text, separator=separator) is fits


@pytest.mark.parametrize(
    ("patterns", "permitted"),
    [
        (["*"], True),
        (["https://git.example/shop/*"], True),
        (["https://git.example/*"], False),
        (["https://GIT.example/shop/web.git"], True),
        (["!https://git.example/shop/web", "*"], False),
        (["!https://git.example/other"], True),
        ([], False),
    ],
)
def test_repositories(patterns: list[str], permitted: bool) -> None:
    assert project(sourceRepos=patterns).permits_repository("https://git.example/shop/web.git") is permitted


@pytest.mark.parametrize(
    ("targets", "permitted"),
    [
        ([{"server": "*", "namespace": "*"}], True),
        ([{"server": "https://a", "namespace": "shop-*"}], True),
        ([{"name": "in-cluster", "namespace": "*"}], True),
        ([{"server": "https://a", "namespace": "other"}], False),
        ([{"server": "*", "namespace": "*"}, {"server": "*", "namespace": "!shop-*"}], False),
        ([{"namespace": "*"}], False),
        ([], False),
    ],
)
def test_destinations(targets: list[dict[str, str]], permitted: bool) -> None:
    assert project(destinations=targets).permits_destination("https://a", "in-cluster", "shop-web") is permitted


def test_namespaced_kinds_are_permitted_unless_a_list_says_otherwise_and_cluster_kinds_are_not() -> None:
    def may(one: Project, kind: str, *, namespaced: bool, name: str = "x") -> bool:
        return one.permits_kind("", kind, name, namespaced=namespaced)

    assert may(project(), "ConfigMap", namespaced=True)
    assert not may(project(), "Namespace", namespaced=False)
    only = project(namespaceResourceWhitelist=[{"group": "", "kind": "ConfigMap"}])
    assert may(only, "ConfigMap", namespaced=True)
    assert not may(only, "Secret", namespaced=True)
    assert not may(project(namespaceResourceWhitelist=[]), "ConfigMap", namespaced=True)
    assert not may(project(namespaceResourceBlacklist=[{"group": "", "kind": "Se*"}]), "Secret", namespaced=True)
    named = project(clusterResourceWhitelist=[{"group": "", "kind": "Namespace", "name": "shop-*"}])
    assert may(named, "Namespace", namespaced=False, name="shop-a")
    assert not may(named, "Namespace", namespaced=False, name="other")


def test_the_default_project_permits_everything() -> None:
    default = permissive("default")
    assert default.permits_repository("https://git.example/any/thing/at/all")
    assert default.permits_destination("https://a", "b", "c")
    assert default.permits_kind("apps", "Deployment", "x", namespaced=True)
    assert default.permits_kind("", "Namespace", "x", namespaced=False)


def test_a_window_of_an_unknown_kind_means_nothing() -> None:
    window = {"schedule": "* * * * *", "duration": "1h", "applications": ["*"]}
    assert not project(syncWindows=[{"kind": "Deny", **window}, window]).windows


def test_a_project_that_is_wrong_permits_nothing_and_says_why() -> None:
    wrong = project(sourceRepos="*", syncWindows=[{"kind": "allow", "schedule": "often", "duration": "1h"}])
    assert not wrong.permits_repository("https://git.example/shop")
    assert wrong.problems == ("spec.sourceRepos: must be a list, not a string",)
    assert wrong.windows[0].problem == "cannot parse schedule 'often': expected exactly 5 fields, found 1: [often]"
