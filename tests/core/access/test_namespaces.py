"""Lists of namespaces: names, globs and regular expressions; what is none, or would cost too much, means nothing."""

import pytest

from kilde.core.access.namespaces import NONE, Namespaces, read_namespaces


@pytest.mark.parametrize(
    ("entries", "means", "leaves_out"),
    [
        ("team-a, team-b", ["team-a", "team-b"], ["team-c", "team", ""]),
        ("team-*", ["team-a", "team-"], ["my-team-a"]),
        ("*", ["anything"], []),
        ("/^(team|dev)-.*$/", ["team-a", "dev-"], ["my-team-a"]),
        ("/team/", ["my-team-a"], ["dev"]),
        ("!team-a", [], ["team-a", "team-b"]),
        ("/(/", [], ["(", "a"]),
        ("", [], ["", "a"]),
    ],
)
def test_what_a_list_means(entries: str, means: list[str], leaves_out: list[str]) -> None:
    found = read_namespaces(entries)
    assert [found.has(one) for one in means] == [True] * len(means)
    assert [found.has(one) for one in leaves_out] == [False] * len(leaves_out)


def test_a_pattern_that_would_search_for_ever_means_nothing() -> None:
    for pattern in ("(a+)+$", "(a|a)*$", "a*a*a*a*a*a*$", "(?:a{1,9}){1,9}$", "a" * 300):
        assert not Namespaces([f"/{pattern}/"]).has("a" * 62 + "b")
    assert (bool(NONE), bool(Namespaces(["a"]))) == (False, True)
