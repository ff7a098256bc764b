"""Tracking ids: who an object belongs to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.tracking import ANNOTATION, TrackingId, owner, parse

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
