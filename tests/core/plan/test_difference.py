"""Where two objects differ, in words, and who owns the place."""

from hypothesis import given
from hypothesis import strategies as st

from kilde.core.objects.pointer import readable
from kilde.core.plan.change import ABSENT, Writer
from kilde.core.plan.difference import differences, writer_of

JSON = st.recursive(
    st.none() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_a_value_does_not_differ_from_itself(value: object) -> None:
    assert list(differences(value, value)) == []


@given(JSON, JSON)
def test_values_that_are_not_equal_differ_somewhere(a: object, b: object) -> None:
    assert bool(list(differences(a, b))) == (a != b)


def test_list_items_are_told_apart_by_their_name() -> None:
    live = {"containers": [{"name": "a", "image": "x:1"}, {"name": "hand", "image": "y"}]}
    wanted = {"containers": [{"name": "a", "image": "x:2"}]}
    found = [(readable(path), there, here) for path, there, here in differences(live, wanted)]
    assert found == [
        ("containers[name=a].image", "x:1", "x:2"),
        ("containers[name=hand]", {"name": "hand", "image": "y"}, ABSENT),
    ]


def test_the_owner_of_a_field_is_the_last_manager_that_wrote_it() -> None:
    live = {
        "metadata": {
            "managedFields": [
                {"manager": "kilde", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                {
                    "manager": "kubectl-edit",
                    "operation": "Update",
                    "time": "2026-01-01T00:00:00Z",
                    "fieldsV1": {"f:spec": {"f:template": {"f:containers": {'k:{"name":"a"}': {"f:image": {}}}}}},
                },
                {
                    "manager": "hpa",
                    "operation": "Update",
                    "subresource": "scale",
                    "fieldsV1": {"f:spec": {"f:replicas": {}}},
                },
            ]
        },
        "spec": {"replicas": 5, "template": {"containers": [{"name": "a", "image": "x"}]}},
    }
    assert writer_of(live, ("spec", "replicas"), but="kilde") == Writer("hpa", "Update", "", "scale")
    image = ("spec", "template", "containers", (("name", "a"),), "image")
    assert writer_of(live, image, but="kilde") == Writer("kubectl-edit", "Update", "2026-01-01T00:00:00Z", "")
    assert writer_of(live, ("spec", "paused"), but="kilde") is None
