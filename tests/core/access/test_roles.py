"""Roles of projects: their policies, and what is said of those that are none."""

import pytest

from kilde.core.access.project import Project, read_project
from kilde.core.access.roles import Token, read_policy


def project(*policies: str, role: str = "ci", **more: object) -> Project:
    roles = [{"name": role, "policies": list(policies), **more}]
    return read_project({"metadata": {"name": "team"}, "spec": {"roles": roles}})


def may(found: Project, action: str, obj: str, resource: str = "applications") -> bool:
    role = found.role("ci")
    return role is not None and role.permits("team", resource, action, obj)


def line(rest: str) -> str:
    return f"p, proj:team:ci, {rest}"


def test_globs_permit_and_a_denial_wins() -> None:
    found = project(
        line("applications, sync, team/*, allow"),
        line("applications, action/apps/*, team/web-*, allow"),
        line("applications, *, team/secret, deny"),
        line("logs, get, team/*, allow"),
    )
    assert may(found, "sync", "team/web")
    assert may(found, "sync", "team/elsewhere/web")  # of another namespace: the glob goes over it
    assert may(found, "action/apps/Deployment/restart", "team/web-1")
    assert not may(found, "action/batch/Job/restart", "team/web-1")
    assert not may(found, "sync", "team/secret")
    assert not may(found, "get", "team/web")
    assert may(found, "get", "team/web", "logs")
    assert not may(found, "sync", "other/web")
    assert may(found, "get", "team", "projects")  # every role sees its own project
    assert not may(found, "update", "team", "projects")


_FORM = "must be of the form: 'p, sub, res, act, obj, eft'"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("p, proj:team:ci, applications, sync, team/*", _FORM),
        ("g, proj:team:ci, applications, sync, team/*, allow", _FORM),
        (
            "p, proj:other:ci, applications, sync, team/*, allow",
            "policy subject must be: 'proj:team:ci', not 'proj:other:ci'",
        ),
        (
            line("projects, get, team/*, allow"),
            "project resource must be: 'applications', 'applicationsets', 'repositories', 'exec', 'logs' or 'clusters', "
            "not 'projects'",
        ),
        (line("applications, destroy, team/*, allow"), "invalid action 'destroy'"),
        (
            line("applications, sync, other/*, allow"),
            "object must be of form 'team/*', 'team[/<NAMESPACE>]/<APPNAME>' or 'team/<APPNAME>', not 'other/*'",
        ),
        (line("applications, sync, team/*, maybe"), "effect must be: 'allow' or 'deny'"),
    ],
)
def test_a_line_that_is_none_is_told_and_permits_nothing(text: str, why: str) -> None:
    problems: list[str] = []
    assert read_policy(text, "team", "ci", problems) is None
    assert problems == [f"invalid policy rule '{text}': {why}"]
    found = project(text)
    assert [role.problems for role in found.roles] == [(problems[0],)]
    assert not may(found, "sync", "team/web")
    assert found.problems == ()  # it keeps no application from being deployed


def test_names_groups_and_doubles_are_judged() -> None:
    good = line("applications, sync, team/*, allow")
    found = project(good, good, groups=["ops", "ops", "a,b", '"a,b"', "", " x"])
    [role] = found.roles
    assert role.problems == (
        f"policy '{good}' already exists for role 'ci'",
        "group 'ops' already exists for role 'ci'",
        "group 'a,b' must be quoted",
        "group '' is empty",
        "group 'x' contains a leading space",
    )
    assert may(found, "sync", "team/web")
    wrong = read_project(
        {"metadata": {"name": "team"}, "spec": {"roles": [{"name": "-x"}, {"name": "a"}, {"name": "a"}, 7]}}
    )
    assert [role.problems[0].partition(".")[0] for role in wrong.roles] == [
        "invalid role name '-x'",
        "role 'a' already exists",
        "invalid role name ''",
    ]


def test_tokens_are_those_of_spec_and_status_together() -> None:
    tokens = [{"iat": 5, "id": "one"}, {"iat": 7}, {"iat": True}, {"iat": 10**30}, "x"]
    spec = {"roles": [{"name": "ci", "jwtTokens": tokens}]}
    status = {
        "jwtTokensByRole": {"ci": {"items": [{"iat": 9, "id": "two", "exp": 11}]}, "gone": {"items": [{"iat": 1}]}}
    }
    [role] = read_project({"metadata": {"name": "team"}, "spec": spec, "status": status}).roles
    assert role.tokens == (Token("two", 9, 11), Token("7", 7), Token("one", 5))
    assert role.token("one", 0) == Token("one", 5)
    assert role.token("", 7) == Token("7", 7)  # an old token has no id
    assert role.token("gone", 7) is None  # a deleted one is not saved by another of the same second
