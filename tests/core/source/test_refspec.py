"""Resolving a targetRevision among refs, in Argo CD's order."""

import pytest

from kilde.core.source.refspec import Refs, is_commit_id, is_full_id, is_ref_name, resolve

REFS = Refs(
    head="h" * 40,
    by_name={
        "refs/heads/main": "main",
        "refs/heads/both": "branch both",
        "refs/heads/deadbee": "branch deadbee",
        "refs/heads/v1.3.0": "branch v1.3.0",
        "refs/heads/1.x-maintenance": "maintenance",
        "refs/tags/both": "tag both",
        "refs/tags/v1.2.0": "v1.2.0",
        "refs/tags/v1.3.0": "v1.3.0",
        "refs/tags/1.3.1": "1.3.1",
        "refs/tags/v2.0.0-rc.1": "v2.0.0-rc.1",
        "refs/tags/v2.0.0-rc.10": "v2.0.0-rc.10",
        "refs/tags/not-a-version": "not-a-version",
        "refs/tags/web/v1.9.0": "web 1.9",
        "refs/tags/web/v3.0.0": "web 3",
        "refs/pull/7/head": "pull 7",
    },
)


@pytest.mark.parametrize(
    ("revision", "found"),
    [
        ("", "h" * 40),
        ("HEAD", "h" * 40),
        ("main", "main"),
        ("refs/heads/main", "main"),
        ("both", "branch both"),
        ("refs/tags/both", "tag both"),
        ("deadbee", "branch deadbee"),
        ("v1.3.0", "branch v1.3.0"),
        ("v1.2.0", "v1.2.0"),
        ("1.2.0", ""),
        ("1.x-maintenance", "1.3.1"),  # a range to upstream too; refs/heads/1.x-maintenance is the branch
        ("refs/heads/1.x-maintenance", "maintenance"),
        ("^1.2", "1.3.1"),
        ("~1.2.0", "v1.2.0"),
        ("1.2.x", "v1.2.0"),
        ("v1.*", "1.3.1"),
        (">=1.0.0 <1.3.0", "v1.2.0"),
        ("1.0 - 1.2", "v1.2.0"),
        ("^7 || ^1", "1.3.1"),
        ("*", "1.3.1"),
        (">=2.0.0-0", "v2.0.0-rc.10"),
        ("^9", ""),
        ("refs/pull/7/head", "pull 7"),
        ("pull/7/head", ""),
        ("a" * 40, ""),
        ("nope", ""),
    ],
)
def test_a_revision_is_looked_for_in_argo_cds_order(revision: str, found: str) -> None:
    assert resolve(revision, REFS) == found


@pytest.mark.parametrize(
    ("revision", "found"), [("^1", "web 1.9"), ("*", "web 3"), ("v3.0.0", "web 3"), ("v2.0.0-rc.1", "v2.0.0-rc.1")]
)
def test_a_tag_prefix_narrows_a_range_to_the_tags_that_begin_with_it(revision: str, found: str) -> None:
    assert resolve(revision, REFS, tag_prefix="web/") == found


def test_nothing_is_found_where_nothing_is() -> None:
    assert [resolve(one, Refs()) for one in ("", "HEAD", "main", "^1", "*")] == [""] * 5


def test_commit_ids_are_told_by_their_shape() -> None:
    assert [is_full_id(one) for one in ("a" * 40, "A" * 40, "f" * 64, "a" * 39, "g" * 40)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert [is_commit_id(one) for one in ("abcdef0", "ABCDEF0", "a" * 40, "abcdef", "main")] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("name", ["main", "team/one", "v1.0", "a-b_c", "ü"])
def test_what_git_lets_a_branch_be_called(name: str) -> None:
    assert is_ref_name(name)


@pytest.mark.parametrize(
    "name", ["", "-x", "/a", "a/", "a//b", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "[a", "a\\b", "a.lock", "a.", "@",
             "a@{0}", ".a", "a/.b", "a\nb", "a\x7f"],
)  # fmt: skip
def test_what_git_does_not(name: str) -> None:
    assert not is_ref_name(name)
