"""`.kilde-allow.yaml`: what an entry must have, what it covers, and when it is over."""

import pytest

from kilde.core.basics.errors import InvalidInput
from kilde.core.check.allowing import read_allowances
from kilde.core.check.leaks import find_leaks

TODAY = "2026-11-28"
[LEAK] = find_leaks("apps/web/.env", "DB_PASSWORD=hunter2\n")
WHY = "reason: the vendor's test key\n  expires: '2027-01-31'"


def allows(entry: str, today: str = TODAY) -> bool:
    return read_allowances(f"allow:\n- {entry}\n".encode(), today).allows(LEAK)


def test_a_fingerprint_covers_that_leak_alone() -> None:
    assert allows(f"fingerprint: {LEAK.fingerprint}\n  {WHY}")
    assert not allows(f"fingerprint: '{'0' * 16}'\n  {WHY}")


@pytest.mark.parametrize(
    ("path", "covers"),
    [("apps/web/.env", True), ("apps/**", True), ("apps/*/.env", True), ("*.env", False), ("apps/web", False)],
)
def test_a_rule_is_covered_where_the_path_fits(path: str, covers: bool) -> None:
    assert allows(f"rule: named-value\n  path: '{path}'\n  {WHY}") is covers
    assert not allows(f"rule: token\n  path: '{path}'\n  {WHY}")


def test_an_entry_is_good_on_its_last_day_and_over_on_the_next() -> None:
    entry = f"fingerprint: {LEAK.fingerprint}\n  reason: the vendor's test key\n  expires: '2026-11-28'"
    assert allows(entry)
    assert not allows(entry, "2026-11-29")
    [over] = read_allowances(f"allow:\n- {entry}\n".encode(), "2026-11-29").over()
    assert (over.fingerprint, over.reason, over.place.line) == (LEAK.fingerprint, "the vendor's test key", 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("allow: all", "allow: must be a list"),
        ("alow: []", "unknown field 'alow' (did you mean 'allow'?)"),
        ("allow:\n- all", "allow[0]: must be a map"),
        (f"allow:\n- fingerprint: {'a' * 16}\n  expires: '2027-01-31'", "allow[0]: has no reason"),
        (f"allow:\n- fingerprint: {'a' * 16}\n  reason: ok\n  expires: '2027-01-31'", "allow[0]: has no reason"),
        (f"allow:\n- fingerprint: {'a' * 16}\n  reason: the vendor's test key", "allow[0]: has no day on which it expires"),
        (f"allow:\n- fingerprint: {'a' * 16}\n  reason: the vendor's test key\n  expires: never", "has no day"),
        (f"allow:\n- fingerprint: {'a' * 16}\n  reason: the vendor's test key\n  expires: '2027-13-01'", "has no day"),
        (f"allow:\n- fingerprint: hunter2\n  {WHY}", "allow[0].fingerprint: is no fingerprint"),
        (f"allow:\n- fingerprint: {'a' * 16}\n  rule: token\n  {WHY}", "names a fingerprint and more"),
        (f"allow:\n- rule: token\n  {WHY}", "names nothing"),
        (f"allow:\n- {WHY}", "names nothing"),
        (f"allow:\n- rule: tokn\n  path: a\n  {WHY}", "there is no rule 'tokn' (did you mean 'token'?)"),
        (f"allow:\n- rule: token\n  path: '['\n  {WHY}", "allow[0].path"),
        (f"allow:\n- rule: 1\n  path: a\n  {WHY}", "allow[0].rule: must be text"),
        ("allow: []\n---\na: b", "more than one document"),
        ("allow: [", "allow.yaml"),
    ],
)  # fmt: skip
def test_a_file_that_is_half_understood_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_allowances(text.encode(), TODAY)
    assert said in str(refused.value)
    assert str(refused.value).startswith(".kilde-allow.yaml:")


def test_an_empty_file_allows_nothing() -> None:
    assert allows(f"fingerprint: {LEAK.fingerprint}\n  reason: a day without quotes\n  expires: 2027-01-31")
    for text in ("", "# nothing\n", "allow:\n"):
        assert not read_allowances(text.encode(), TODAY).allows(LEAK)
