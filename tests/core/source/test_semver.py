"""Versions and ranges, judged as Masterminds/semver v3.4 judges them (verdicts observed there by running it)."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.source.semver import Version, parse_range, parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v1", Version(1)),
        ("1.2", Version(1, 2)),
        ("01.2", Version(1, 2)),
        ("1.2.3-rc.1+build.5", Version(1, 2, 3, ("rc", "1"))),
        ("v0.0.0-alpha-1", Version(0, 0, 0, ("alpha-1",))),
        ("1.0.0-01", None),
        ("1.0.0+a..b", None),
        ("1.2.3.4", None),
        ("V1", None),
        ("", None),
        ("v", None),
        ("1.x", None),
        (" 1", None),
        ("99999999999999999999", None),
        ("1" * 300, None),
    ],
)
def test_versions_are_read_in_full_or_in_part(text: str, version: Version | None) -> None:
    assert parse_version(text) == version


def test_versions_are_ordered_as_semver_org_says() -> None:
    texts = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.2.0 1.10.0 2.0.0"
    versions = [version for text in texts.split() if (version := parse_version(text)) is not None]
    assert len(versions) == 12
    assert all(one < other for one, other in itertools.pairwise(versions))


@pytest.mark.parametrize(
    ("range_", "inside", "outside"),
    [
        ("^1.2.3", "1.2.3 1.2.4 1.9.0", "1.2.2 2.0.0 1.3.0-rc.1"),
        ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"),
        ("^0.0.3", "0.0.3", "0.0.4 0.1.0"),
        ("^0.0", "0.0.0 0.0.7", "0.1.0"),
        ("^0", "0.0.1 0.9.0", "1.0.0"),
        ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
        ("~1", "1.0.0 1.9.9", "2.0.0"),
        ("~> 1.2", "1.2.0 1.2.9", "1.3.0"),
        ("~0.0.0", "0.0.0 1.2.3 9.0.0", "1.0.0-rc.1"),
        ("1.x", "1.0.0 1.9.9", "2.0.0 0.9.0"),
        ("1.2.*", "1.2.0 1.2.9", "1.3.0"),
        ("*", "0.0.1 7.0.0", "7.0.0-rc.1"),
        (">1.x", "2.0.0", "1.9.9"),
        (">1.2.x", "1.3.0", "1.2.9"),
        ("<=1.x", "1.9.9 0.1.0", "2.0.0"),
        ("<=1.2.x", "1.2.9", "1.3.0"),
        ("!=1.2.3", "1.2.4", "1.2.3"),
        ("!=1.x", "2.0.0", "1.2.3"),
        ("!=1.2.x", "1.3.0", "1.2.3"),
        (">=1.2, <2", "1.2.0 1.9.9", "2.0.0 1.1.9"),
        ("=>1.2 =<2", "1.2.0 2.0.0 2.9.0", "1.1.0 3.0.0"),
        (">=1.0.0-0, <2.0.0", "1.0.0-rc.1 1.5.0-beta", "0.9.0 2.0.0"),
        ("1.2 - 1.4.5", "1.2.0 1.4.5", "1.4.6 1.1.9"),
        ("1.0.0 || >=2.0.0 <3", "1.0.0 2.5.0", "1.0.1 3.0.0"),
        ("v1.2.3", "1.2.3", "1.2.4"),
    ],
)
def test_a_range_holds_what_upstream_says_it_holds(range_: str, inside: str, outside: str) -> None:
    read = parse_range(range_)
    assert read is not None
    verdicts = {text: version in read for text in f"{inside} {outside}".split() if (version := parse_version(text))}
    assert verdicts == dict.fromkeys(inside.split(), True) | dict.fromkeys(outside.split(), False)


@pytest.mark.parametrize(
    "text", ["", " ", "main", "release-1", "1.2.3.4", "||", "1||", ">=1,", "==1", ">", "feature/x", "^a", "1" * 300]
)
def test_what_is_no_range_is_none(text: str) -> None:
    assert parse_range(text) is None


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_a_release_is_in_every_range_made_of_itself(major: int, minor: int, patch: int) -> None:
    version = Version(major, minor, patch)
    for operator in ("", "=", ">=", "<=", "~", "^"):
        read = parse_range(f"{operator}{major}.{minor}.{patch}")
        assert read is not None
        assert version in read
    for operator in ("!=", ">", "<"):
        read = parse_range(f"{operator}{major}.{minor}.{patch}")
        assert read is not None
        assert version not in read


@given(st.text(max_size=40))
def test_any_text_is_judged(text: str) -> None:
    read = parse_range(text)
    assert read is None or isinstance(Version(1, 2, 3) in read, bool)
