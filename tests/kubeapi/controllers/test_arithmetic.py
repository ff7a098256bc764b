"""The arithmetic of rollouts holds for every size: nothing negative, nothing below the floor or above the ceiling."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.deployment.fleet import Fleet, new_replicas, replicas, total
from kilde.kubeapi.controllers.deployment.scaling import grow_new, rescale, shrink_old
from kilde.kubeapi.controllers.naming import safe_suffix, scaled, template_hash
from kilde.kubeapi.controllers.selecting import selects

sizes = st.integers(0, 12)
limits = st.one_of(st.integers(0, 5), st.integers(0, 100).map("{}%".format))


def replica_set(name: str, size: int, available: int, marks: dict[str, str] | None = None) -> Object:
    meta = {"name": name, "uid": name, "creationTimestamp": name, "annotations": marks or {}}
    return {"metadata": meta, "spec": {"replicas": size}, "status": {"availableReplicas": min(size, available)}}


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    rolling = {"maxSurge": draw(limits), "maxUnavailable": draw(limits)}
    spec: dict[str, Any] = {"replicas": draw(sizes), "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}
    old = [replica_set(f"old-{number}", draw(sizes), draw(sizes)) for number in range(draw(st.integers(0, 3)))]
    new = replica_set("new", draw(sizes), draw(sizes))
    status = {"replicas": total([*old, new])}
    return Fleet({"metadata": {"name": "d"}, "spec": spec, "status": status}, new, tuple(old))


@given(fleets())
def test_growing_never_passes_the_ceiling(fleet: Fleet) -> None:
    assert fleet.new is not None
    have = replicas(fleet.new)
    for _, size in grow_new(fleet):
        assert size <= fleet.wanted
        assert size < have or total(fleet.old) + size <= fleet.wanted + fleet.max_surge


@given(fleets())
def test_shrinking_never_leaves_fewer_available_pods_than_promised(fleet: Fleet) -> None:
    assert fleet.new is not None
    least = fleet.wanted - fleet.max_unavailable
    before = sum(rs["status"]["availableReplicas"] for rs in fleet.every)
    after = {rs["metadata"]["name"]: rs["status"]["availableReplicas"] for rs in fleet.every}
    for rs, size in shrink_old(fleet):
        assert 0 <= size <= replicas(rs)
        after[rs["metadata"]["name"]] = min(after[rs["metadata"]["name"]], size)
    assert sum(after.values()) >= min(before, least)


@given(fleets())
def test_rescaling_in_proportion_gives_every_replica_to_somebody(fleet: Fleet) -> None:
    found = rescale(fleet)
    assert all(size >= 0 for _, size in found)
    running = [rs for rs in fleet.every if replicas(rs)]
    if len(found) > 1 and {rs["metadata"]["name"] for rs, _ in found} == {rs["metadata"]["name"] for rs in running}:
        assert sum(size for _, size in found) == (fleet.wanted + fleet.max_surge if fleet.wanted else 0)


@given(fleets())
def test_some_fencepost_always_lets_a_rollout_move(fleet: Fleet) -> None:
    surge, unavailable = fleet.fenceposts
    assert surge + unavailable > 0
    assert new_replicas(fleet) >= 0


@pytest.mark.parametrize(
    ("value", "of", "up", "expected"),
    [
        ("25%", 3, True, 1),
        ("25%", 3, False, 0),
        ("100%", 7, False, 7),
        (2, 10, True, 2),
        ("50%", 0, True, 0),
        (None, 4, True, 0),
    ],
)
def test_percentages_are_rounded_as_asked(value: object, of: int, up: bool, expected: int) -> None:
    assert scaled(value, of, round_up=up) == expected


@given(st.floats(0, 1, exclude_max=True))
def test_a_suffix_has_five_characters_that_form_no_words(dice: float) -> None:
    suffix = safe_suffix(dice)
    assert len(suffix) == 5
    assert set(suffix) <= set("bcdfghjklmnpqrstvwxz2456789")


TEMPLATE = {
    "metadata": {"labels": {"app": "a"}},
    "spec": {
        "containers": [
            {
                "name": "c",
                "image": "a:1",
                "imagePullPolicy": "IfNotPresent",
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "resources": {},
            }
        ],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "securityContext": {},
    },
}


def test_a_template_has_the_hash_that_kube_controller_manager_gave_it() -> None:
    assert template_hash(TEMPLATE) == "5945999458"


@given(st.dictionaries(st.text(), st.text(), min_size=1), st.integers(1, 5))
def test_a_hash_depends_on_the_value_and_on_collisions_only(value: dict[str, str], collisions: int) -> None:
    one, again = ({**TEMPLATE, "metadata": {"annotations": given}} for given in (value, dict(reversed(value.items()))))
    assert template_hash(one) == template_hash(again) != template_hash(TEMPLATE)
    assert template_hash(one) != template_hash(one, collisions)
    assert set(template_hash(one)) <= set("bcdfghjklmnpqrstvwxz2456789")


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        (None, {"a": "1"}, False),
        ({}, {"a": "1"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "2"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Unheard"}]}, {"a": "1"}, False),
    ],
)
def test_a_selector_selects_what_it_says(
    selector: dict[str, Any] | None, labels: dict[str, str], expected: bool
) -> None:
    assert selects(selector, labels) is expected
