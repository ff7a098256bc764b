"""Tracking ids: who an object belongs to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.tracking import ANNOTATION, TrackingId, owner, parse, read_tracking

NAMES = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=20)
DEPLOYMENT = ObjectRef("apps", "Deployment", "shop", "web")


@given(app=NAMES, group=NAMES | st.just(""), kind=st.from_regex(r"[A-Z][a-z]+", fullmatch=True), ns=NAMES, name=NAMES)
def test_an_id_is_read_back_as_it_was_written(app: str, group: str, kind: str, ns: str, name: str) -> None:
    tracking_id = TrackingId(app, ObjectRef(group, kind, ns, name))
    assert parse(str(tracking_id)) == tracking_id


def test_an_id_is_written_as_argo_cd_writes_it() -> None:
    assert str(TrackingId("shop", DEPLOYMENT)) == "shop:apps/Deployment:shop/web"


@pytest.mark.parametrize(
    "text", ["", "shop", "shop:apps/Deployment", "shop:Deployment:shop/web", ":a/B:c/d", "a:b/C:d"]
)
def test_what_is_no_id_is_not_taken_for_one(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "ref", "found"),
    [
        ("shop:apps/Deployment:shop/web", DEPLOYMENT, "shop"),
        ("shop:apps/Deployment:other/web", DEPLOYMENT, ""),
        ("shop:apps/Deployment:shop/copy", DEPLOYMENT, ""),
        ("shop:/Namespace:anything/web", ObjectRef("", "Namespace", "", "web"), "shop"),
    ],
)
def test_an_id_counts_only_on_the_object_it_was_written_for(text: str, ref: ObjectRef, found: str) -> None:
    assert owner({ANNOTATION: text}, ref) == found


REF = ObjectRef("", "ConfigMap", "shop", "a")


@pytest.mark.parametrize(
    ("data", "meta"),
    [
        ({}, {"annotations": {ANNOTATION: "web:/ConfigMap:shop/a"}}),
        ({"application.resourceTrackingMethod": "nonsense"}, {"annotations": {ANNOTATION: "web:/ConfigMap:shop/a"}}),
        ({"application.resourceTrackingMethod": "label"}, {"labels": {"app.kubernetes.io/instance": "web"}}),
        (
            {"application.resourceTrackingMethod": "annotation+label", "application.instanceLabelKey": "of"},
            {"annotations": {ANNOTATION: "web:/ConfigMap:shop/a"}, "labels": {"of": "web"}},
        ),
        (
            {"installationID": "one"},
            {"annotations": {ANNOTATION: "web:/ConfigMap:shop/a", "argocd.argoproj.io/installation-id": "one"}},
        ),
    ],
)
def test_every_method_knows_its_own_mark(data: dict[str, str], meta: dict[str, Any]) -> None:
    tracking = read_tracking(data)
    assert tracking.marked({}, "web", REF) == meta
    assert tracking.owner(meta, REF) == "web"
    assert tracking.owner({}, REF) == ""


def test_a_copied_label_counts_only_where_labels_are_what_counts_and_another_installation_is_somebody_else() -> None:
    copied = {"labels": {"app.kubernetes.io/instance": "web"}}
    assert read_tracking({"application.resourceTrackingMethod": "label"}).owner(copied, REF) == "web"
    assert read_tracking({"application.resourceTrackingMethod": "annotation+label"}).owner(copied, REF) == ""
    other = read_tracking({"installationID": "two"}).marked({}, "web", REF)
    assert read_tracking({"installationID": "one"}).owner(other, REF) == ""
