"""What is written of a generated Application, and what is left alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sets.given import a_set
from kilde.core.objects.patches.merge_patch import merge_patch
from kilde.core.sets.writing import NotOurs, normalized, owner_reference, write_for

OWNER = a_set("{generators: []}")


def wanted(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a", "namespace": "argocd"}, "spec": {"project": "default", **spec}}


def live(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "argocd", "resourceVersion": "7", "ownerReferences": [owner_reference(OWNER)]}
    return {"metadata": metadata, "spec": {"project": "default", **spec}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"source": {"path": "a", "helm": {}}}, {"source": {"path": "a"}}),
        ({"source": {"path": "a", "targetRevision": ""}}, {"source": {"path": "a"}}),
        ({}, {"syncPolicy": {}, "source": {"kustomize": {"images": []}}}),
        ({}, {"project": ""}),
    ],
)
def test_what_means_nothing_is_no_difference(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert not write_for(OWNER, wanted(**after), live(**before))
    assert not write_for(OWNER, wanted(**before), live(**after))


def test_an_empty_automated_means_something() -> None:
    write = write_for(OWNER, wanted(syncPolicy={"automated": {}}), live())
    assert write.patch == {"metadata": {"resourceVersion": "7"}, "spec": {"syncPolicy": {"automated": {}}}}
    back = write_for(OWNER, wanted(), live(syncPolicy={"automated": {}}))
    assert back.patch["spec"] == {"syncPolicy": None}


def test_an_application_of_nobody_is_taken_in_and_one_of_somebody_is_not() -> None:
    alone = live()
    del alone["metadata"]["ownerReferences"]
    assert write_for(OWNER, wanted(), alone).patch["metadata"]["ownerReferences"] == [owner_reference(OWNER)]
    taken = live()
    taken["metadata"]["ownerReferences"][0] |= {"uid": "u-2", "name": "other"}
    with pytest.raises(NotOurs, match="already owned by another ApplicationSet controller other"):
        write_for(OWNER, wanted(), taken)


def test_finalizers_of_deletion_hooks_stay() -> None:
    held = live()
    held["metadata"]["finalizers"] = ["x", "post-delete-finalizer.argocd.argoproj.io/cleanup"]
    body = wanted()
    body["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    patch = write_for(OWNER, body, held).patch
    assert patch["metadata"]["finalizers"] == [
        "resources-finalizer.argocd.argoproj.io",
        "post-delete-finalizer.argocd.argoproj.io/cleanup",
    ]


JSON = st.recursive(
    st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "automated"]), inner, max_size=3)
    ),
    max_leaves=6,
)
SPECS = st.dictionaries(st.sampled_from(["source", "syncPolicy", "info"]), JSON, max_size=3)


@given(SPECS, SPECS)
def test_after_a_write_there_is_nothing_to_write(before: dict[str, Any], after: dict[str, Any]) -> None:
    write = write_for(OWNER, wanted(**after), live(**before))
    there = live(**before)
    there["spec"] = merge_patch(there["spec"], write.patch.get("spec") or {})
    assert normalized(there["spec"]) == normalized(wanted(**after)["spec"])
    assert not write_for(OWNER, wanted(**after), there)
