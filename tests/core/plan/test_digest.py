"""The digest of a plan ends with what it names, and with nothing else; a basis ends with what was compared."""

import string
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Action, Change
from kilde.core.plan.digest import basis_of, plan_digest, writes_of

_NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=3)
_REFS = st.builds(
    ObjectRef, st.sampled_from(["", "apps"]), st.sampled_from(["ConfigMap", "Deployment"]), _NAMES, _NAMES
)
_CHANGES = st.builds(
    Change,
    ref=_REFS,
    action=st.sampled_from(Action),
    why=_NAMES,
    version=st.sampled_from(["v1", "v1beta1"]),
    live_uid=st.sampled_from(["", "u-1", "u-2"]),
    live_version=_NAMES,
)
_PLANS = st.lists(_CHANGES, max_size=6, unique_by=lambda change: change.ref)


def _of(changes: list[Change], **other: str) -> str:
    return plan_digest(
        **{"application": "argocd/web", "revision": "1a2b", "rendered": "c0ffee", **other}, changes=changes
    )  # type: ignore[arg-type]


@given(plan=_PLANS, dice=st.randoms())
def test_order_reasons_and_versions_of_objects_do_not_count(plan: list[Change], dice: Any) -> None:
    shuffled = [replace(one, why="another", live_version="another") for one in plan]
    dice.shuffle(shuffled)
    idle = Change(ref=ObjectRef("", "Secret", "zz", "idle-one"), action=Action.KEEP, why="as in Git", version="v1")
    assert _of(shuffled) == _of(plan) == _of([*plan, idle, replace(idle, action=Action.HOLD)])


@given(plan=_PLANS)
def test_anything_else_counts(plan: list[Change]) -> None:
    digests = [_of(plan), _of(plan, application="argocd/shop"), _of(plan, revision="ffff"), _of(plan, rendered="dead")]
    for place, one in enumerate(plan):
        if one in writes_of(plan):
            rest = [*plan[:place], *plan[place + 1 :]]
            other = Action.UPDATE if one.action is Action.PRUNE else Action.PRUNE
            digests.append(_of(rest))
            digests.append(_of([*rest, replace(one, live_uid="u-3")]))
            digests.append(_of([*rest, replace(one, version="v2")]))
            digests.append(_of([*rest, replace(one, action=other)]))
    assert len(set(digests)) == len(digests)


def test_the_words_of_a_digest_stay_the_same() -> None:
    gone = Change(
        ref=ObjectRef("", "ConfigMap", "shop", "old"), action=Action.PRUNE, why="", version="v1", live_uid="u-1"
    )
    assert _of([gone]) == "e9d9610dcf5b4f05b0dc30939cdcbdd20614d1e4427a4dd6b5668227a540220d"


def _live(**meta: object) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "uid": "u-1", **meta},
        "data": {"k": "v"},
    }


def test_a_basis_ends_with_a_change_of_what_is_compared() -> None:
    told = basis_of(_live())
    quiet = _live(resourceVersion="7", generation=3, managedFields=[{"manager": "x"}]) | {"status": {"ready": True}}
    assert basis_of(None) == ""
    assert told.startswith("u-1#")
    assert basis_of(quiet) == told
    for moved in (_live(uid="u-2"), _live(labels={"a": "b"}), _live() | {"data": {"k": "w"}}, _live(finalizers=["x"])):
        assert basis_of(moved) != told


def test_no_hash_of_a_secret_is_told() -> None:
    one = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"uid": "u-1", "resourceVersion": "7"},
        "data": {"k": "YQ=="},
    }
    assert basis_of(one) == basis_of({**one, "data": {"k": "Yg=="}}) == "u-1@7"
