"""Adoption: Git is made to say what the cluster says, and nothing else of the file changes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.adopt import operations
from kilde.core.plan.adopted_file import in_place, with_patch

SCALARS = st.one_of(st.integers(0, 3), st.sampled_from(["a", "b"]), st.booleans())
ITEMS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("xyz"), "value": SCALARS}),
    max_size=3,
    unique_by=lambda one: one["name"],
)
VALUES = st.recursive(
    st.one_of(SCALARS, st.lists(SCALARS, max_size=3), ITEMS),
    lambda inner: st.dictionaries(st.sampled_from(["p", "q/r", "s~t"]), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["p", "q/r", "s~t"]), VALUES, max_size=3)


def covered(wanted: Any, live: Any) -> Any:
    """What of `live` Git has a say in: the fields of `wanted`, items by their name."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        return {key: covered(value, live[key]) for key, value in wanted.items() if key in live}
    named = isinstance(wanted, list) and isinstance(live, list) and wanted and live
    if named and all(isinstance(one, dict) and "name" in one for one in (*wanted, *live)):
        there = {one["name"]: one for one in live}
        return [covered(one, there[one["name"]]) for one in wanted if one["name"] in there]
    return live


@given(OBJECTS, OBJECTS)
def test_what_git_says_becomes_what_is_there(wanted: dict[str, Any], live: dict[str, Any]) -> None:
    """Without defaults an apply of what Git wants stores just that."""
    assert json_patch(wanted, operations(wanted, wanted, live)) == covered(wanted, live)


def test_what_the_cluster_only_writes_otherwise_is_left() -> None:
    wanted = {"spec": {"cpu": "1000m", "replicas": 1}}
    predicted = {"spec": {"cpu": "1", "replicas": 1, "given": True}}
    live = {"spec": {"cpu": "1", "replicas": 3, "given": True}, "status": {}}
    assert operations(wanted, predicted, live) == [{"op": "replace", "path": "/spec/replicas", "value": 3}]


FILE = b"""\
# of the shop
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  colour: blue  # as the sea
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
data: {colour: blue}
"""
SETTINGS, OTHER = (ObjectRef("", "ConfigMap", "shop", name) for name in ("settings", "other"))
RED = [{"op": "replace", "path": "/data/colour", "value": "red"}]


def test_a_manifest_is_edited_in_place() -> None:
    assert in_place(FILE, "a.yaml", SETTINGS, RED, gone=False) == FILE.replace(b"blue  #", b"red  #")
    assert in_place(FILE, "a.yaml", OTHER, RED, gone=False) == FILE.replace(b"{colour: blue}", b"{colour: red}")


def test_a_deleted_object_leaves_its_file() -> None:
    first, _, second = FILE.partition(b"---\n")
    assert in_place(FILE, "a.yaml", SETTINGS, [], gone=True) == second
    assert in_place(FILE, "a.yaml", OTHER, [], gone=True) == first


def test_what_is_in_no_document_is_told() -> None:
    missing = ObjectRef("", "ConfigMap", "shop", "missing")
    with pytest.raises(InvalidInput, match="is not a document of its own"):
        in_place(FILE, "a.yaml", missing, RED, gone=False)


def test_a_kustomization_gets_a_patch() -> None:
    before = b"# ours\nresources:\n- a.yaml\n"
    after = with_patch(before, "kustomization.yaml", SETTINGS, "v1", RED, gone=False).decode()
    assert after.startswith(before.decode())
    assert after.removeprefix(before.decode()) == (
        "patches:\n- patch: |\n    - op: replace\n      path: /data/colour\n      value: red\n"
        "  target:\n    kind: ConfigMap\n    name: settings\n    version: v1\n"
    )
