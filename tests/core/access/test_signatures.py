"""Which repositories' commits must be signed, and by whom, as the AppProject says it: Argo CD's rules for `sourceIntegrity`."""

from typing import Any

import pytest

from kilde.core.access.signatures import Demand, read_rules
from kilde.core.basics.reading import Reader

KEY, OTHER = "4AEE18F83AFDEB23", "1111111111111111"
SHOP = "https://git.example/team/shop.git"


def policy(*repositories: str, mode: str = "head", key: str = KEY) -> dict[str, Any]:
    return {"repos": [{"url": url} for url in repositories], "gpg": {"mode": mode, "keys": [key]}}


def demand(*policies: dict[str, Any], url: str = SHOP, **spec: Any) -> Demand:
    at = Reader({"sourceIntegrity": {"git": {"policies": list(policies)}}, **spec}, "spec")
    rules = read_rules(at, {})
    assert at.problems == []
    return rules.for_repository(url)


@pytest.mark.parametrize(
    ("repositories", "asked"),
    [
        (("*",), True),
        (("https://git.example/*",), True),  # a star reaches across slashes
        (("https://git.example/team/shop",), True),
        (("https://elsewhere.example/*",), False),
        (("https://git.example/*", "!https://git.example/team/*"), False),
        (("!https://git.example/team/*", "*"), False),
        (("!https://elsewhere.example/*",), False),  # excluding names nothing
        (("*", "!https://elsewhere.example/*"), True),
        ((), False),
    ],
)
def test_a_policy_is_about_what_it_names_and_does_not_exclude(repositories: tuple[str, ...], *, asked: bool) -> None:
    assert demand(policy(*repositories)) == (Demand(True, (KEY,)) if asked else Demand(False))


def test_two_policies_for_one_repository_let_nothing_through() -> None:
    told = f"multiple (2) git source integrity policies found for repo URL: {SHOP}"
    assert demand(policy("*"), policy("https://git.example/*", key=OTHER)).fault == told
    found = demand(policy("*"), policy("https://git.example/*", mode="none"))
    assert (found.asked, found.fault) == (True, told)
    assert demand(policy("*", mode="none"), policy("*", mode="none")).fault == told
    assert demand(policy("*", mode="none"), policy("*", mode="none")).asked


def test_modes() -> None:
    assert demand(policy("*", mode="none")) == Demand(False)
    assert demand({"repos": [{"url": "*"}]}) == Demand(False)
    assert demand(policy("*", mode="strict")).fault.endswith("mode strict, which is not supported")
    assert demand({"repos": [{"url": "*"}], "gpg": {"keys": [KEY]}}).fault.startswith('unknown GPG mode ""')


def test_keys_of_the_older_field_count_where_the_newer_one_says_nothing() -> None:
    keys = [{"keyID": OTHER}]
    assert demand(policy("*"), signatureKeys=keys) == Demand(True, (KEY,))
    assert demand(policy("https://elsewhere.example/*"), signatureKeys=keys) == Demand(False)
    at = Reader({"sourceIntegrity": {}, "signatureKeys": keys}, "spec")
    assert read_rules(at, {}).for_repository(SHOP) == Demand(True, (OTHER,))
