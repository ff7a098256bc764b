"""Server-side apply and ownership, told as short stories: each write, then the whole object and who owns what."""

import json
from typing import Any

import pytest
from hypothesis import given

from core.objects.typed.toy import SCHEMA, SPECS, TYPE, toy
from kilde.core.objects.typed.errors import ApplyConflict, BadApply, TypingError
from kilde.core.objects.typed.field_set import FieldSet
from kilde.core.objects.typed.managed_fields import ApplyResult, apply, update
from kilde.core.objects.typed.schema import builtin, from_openapi

_V = "toy.test/v1"
_T1, _T2, _T3 = (f"2026-01-01T00:00:0{second}Z" for second in (1, 2, 3))
_STATUS = FieldSet.of(("f:status",))
_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def _apply(live: Any, config: Any, manager: str = "a", **more: Any) -> ApplyResult:
    options = {"node": TYPE, "api_version": _V, "now": _T1, **more}
    return apply(live, config, manager=manager, **options)


def _update(live: Any, new: Any, manager: str = "u", **more: Any) -> ApplyResult:
    options = {"node": TYPE, "api_version": _V, "now": _T1, **more}
    return update(live, new, manager=manager, **options)


def _with(obj: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {**obj, "spec": {**obj["spec"], **spec}}


def _owners(obj: dict[str, Any]) -> dict[str, list[str]]:
    """Owner → its paths as people read them."""
    found = {}
    for entry in obj["metadata"].get("managedFields", []):
        name = f"{entry['manager']}/{entry['operation']}"
        name += f"({entry['subresource']})" if "subresource" in entry else ""
        found[name] = sorted("".join(path) for path in FieldSet(entry["fieldsV1"]).paths())
    return found


def test_an_applier_owns_what_it_sent_and_nothing_else() -> None:
    made = _apply(None, toy({"text": "x", "items": [{"name": "p", "value": "1"}]})).object
    assert made["spec"] == {"text": "x", "items": [{"name": "p", "value": "1"}]}
    item = 'f:specf:itemsk:{"name":"p"}'
    assert _owners(made) == {"a/Apply": sorted([item, item + "f:name", item + "f:value", "f:specf:text"])}
    assert made["metadata"]["managedFields"][0]["time"] == _T1


def test_applying_the_same_again_answers_the_live_object_itself() -> None:
    live = _apply(None, toy({"count": 1})).object
    again = _apply(live, toy({"count": 1}), now=_T2)
    assert again == ApplyResult(live, changed=False)
    assert again.object is live


def test_a_new_owner_of_an_unchanged_value_has_no_time() -> None:
    live = _apply(None, toy({"count": 1})).object
    shared = _apply(live, toy({"count": 1}), "b", now=_T2)
    assert shared.changed
    assert [(e["manager"], e.get("time")) for e in shared.object["metadata"]["managedFields"]] == [
        ("b", None),
        ("a", _T1),
    ]


def test_what_an_applier_drops_goes_unless_somebody_else_owns_it() -> None:
    live = _apply(None, toy({"count": 1, "text": "x", "on": True})).object
    live = _apply(live, toy({"text": "x"}), "b").object
    live = _update(live, _with(live, on=False), "u").object
    dropped = _apply(live, toy({"labels": {"k": "v"}}), "a", now=_T2).object
    assert dropped["spec"] == {"text": "x", "on": False, "labels": {"k": "v"}}
    assert _owners(dropped) == {
        "a/Apply": ["f:specf:labelsf:k"],
        "b/Apply": ["f:specf:text"],
        "u/Update": ["f:specf:on"],
    }


def test_an_applier_that_drops_all_it_had_is_forgotten() -> None:
    live = _apply(None, toy({"count": 1})).object
    live = _apply(live, toy({"text": "x"}), "b").object
    dropped = _apply(live, {key: value for key, value in toy({}).items() if key != "spec"}).object
    assert dropped["spec"] == {"text": "x"}
    assert _owners(dropped) == {"b/Apply": ["f:specf:text"]}


def test_a_conflict_names_every_field_and_its_owner() -> None:
    live = _apply(None, toy({"count": 1, "text": "x"})).object
    live = _update(live, _with(live, on=True), "u").object
    with pytest.raises(ApplyConflict) as caught:
        _apply(live, toy({"count": 2, "text": "y", "on": False}), "b")
    assert caught.value.what == (
        'Apply failed with 3 conflicts: conflicts with "a":\n- .spec.count\n- .spec.text\n'
        f'conflicts with "u" using {_V}:\n- .spec.on'
    )
    assert caught.value.causes[0] == {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "a"',
        "field": ".spec.count",
    }


def test_force_takes_the_fields_from_their_owners() -> None:
    live = _apply(None, toy({"count": 1, "text": "x"})).object
    taken = _apply(live, toy({"count": 2}), "b", force=True, now=_T2).object
    assert taken["spec"] == {"count": 2, "text": "x"}
    assert _owners(taken) == {"a/Apply": ["f:specf:text"], "b/Apply": ["f:specf:count"]}


def test_an_update_takes_what_it_changes_and_forgets_what_it_removes() -> None:
    live = _apply(None, toy({"count": 1, "text": "x", "labels": {"k": "v"}})).object
    new = toy({"count": 2, "labels": {"k": "v", "l": "w"}})
    changed = _update(live, new, now=_T2).object
    assert changed["spec"] == new["spec"]
    assert _owners(changed) == {"a/Apply": ["f:specf:labelsf:k"], "u/Update": ["f:specf:count", "f:specf:labelsf:l"]}


def test_a_creator_owns_every_leaf_and_every_container() -> None:
    made = _update(None, toy({"deep": {"er": {"x": "1"}}})).object
    assert _owners(made) == {"u/Update": ["f:spec", "f:specf:deep", "f:specf:deepf:er", "f:specf:deepf:erf:x"]}


def test_a_creator_of_a_built_in_object_does_not_own_what_go_always_writes() -> None:
    node = builtin().node("apps", "v1", "ReplicaSet")
    assert node is not None
    made = update(
        None,
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "r", "labels": {"a": "b"}},
            "spec": {
                "replicas": 1,
                "template": {"metadata": {}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
            },
        },
        node=node,
        manager="u",
        api_version="apps/v1",
        now=_T1,
    ).object
    container = 'f:specf:templatef:specf:containersk:{"name":"c"}'
    assert _owners(made)["u/Update"] == sorted(
        [
            "f:metadataf:labels",
            "f:metadataf:labelsf:a",
            "f:specf:replicas",
            container,
            container + "f:image",
            container + "f:name",
        ]
    )


def test_status_cannot_be_applied_through_the_main_resource() -> None:
    live = {**_apply(None, toy({"count": 1})).object, "status": {"phase": "Ready"}}
    again = _apply(live, toy({"count": 1}, status={"phase": "Nope"}), reset_fields=_STATUS)
    assert again == ApplyResult(live, changed=False)
    created = _apply(None, toy({}, status={"phase": "Nope"}), reset_fields=_STATUS).object
    (owned,) = created["metadata"]["managedFields"]
    assert created["status"] == {"phase": "Nope"}, "its strategy takes it away, as at any creation"
    assert "f:status" not in owned["fieldsV1"], "and nobody owns it"


def test_an_untracked_object_gets_an_owner_of_what_was_there_before() -> None:
    with pytest.raises(ApplyConflict) as caught:
        _apply(toy({"count": 1}), toy({"count": 2}))
    assert caught.value.causes[0]["message"] == f'conflict with "before-first-apply" using {_V}'
    same = _apply(toy({"count": 1}), toy({"count": 1})).object
    assert _owners(same) == {"a/Apply": ["f:specf:count"], "before-first-apply/Update": ["f:spec", "f:specf:count"]}


def test_a_client_can_reset_ownership_and_updates_leave_it_so() -> None:
    live = _apply(None, toy({"count": 1})).object
    kept = _update(live, {**live, "metadata": {"name": "t", "managedFields": []}})
    assert (kept.changed, kept.object) == (False, live)
    bare = _update(live, {**live, "metadata": {"name": "t", "managedFields": [{}]}}).object
    assert bare["metadata"] == {"name": "t"}
    later = _update(bare, _with(bare, count=2)).object
    assert later["metadata"] == {"name": "t"}


def test_a_client_can_hand_its_fields_over_by_rewriting_managed_fields() -> None:
    live = _apply(None, toy({"count": 1})).object
    entries = [{**live["metadata"]["managedFields"][0], "manager": "b"}]
    moved = _update(live, {**live, "metadata": {"name": "t", "managedFields": entries}}).object
    assert _owners(moved) == {"b/Apply": ["f:specf:count"]}


@pytest.mark.parametrize("sent", [[{"manager": "x"}], [7], [{"operation": "Apply", "fieldsType": "V2"}], "x"])
def test_managed_fields_nobody_can_read_are_ignored(sent: Any) -> None:
    live = _apply(None, toy({"count": 1})).object
    assert _update(live, {**live, "metadata": {"name": "t", "managedFields": sent}}).changed is False


def test_a_sub_resource_request_cannot_touch_managed_fields() -> None:
    live = _apply(None, toy({"count": 1})).object
    new = {**live, "metadata": {"name": "t", "managedFields": []}, "status": {"phase": "x"}}
    changed = _update(live, new, subresource="status").object
    assert _owners(changed) == {"a/Apply": ["f:specf:count"], "u/Update(status)": ["f:status", "f:statusf:phase"]}


def test_owners_of_parts_own_the_whole_once_the_type_is_atomic() -> None:
    schema = json.loads(json.dumps(SCHEMA))
    for name in ("labels", "deep"):
        schema["properties"]["spec"]["properties"][name]["x-kubernetes-map-type"] = "atomic"
    schema["properties"]["spec"]["properties"]["items"]["x-kubernetes-list-type"] = "atomic"
    live = _apply(
        None, toy({"labels": {"a": "1"}, "deep": {"er": {"x": "y"}}, "items": [{"name": "i"}], "text": "t"})
    ).object
    live = _apply(live, toy({"labels": {"b": "1"}}), "b").object
    changed = _apply(live, toy({"text": "u"}), "c", node=from_openapi(schema), force=True).object
    assert _owners(changed) == {
        "a/Apply": ["f:specf:deep", "f:specf:items", "f:specf:labels"],
        "b/Apply": ["f:specf:labels"],
        "c/Apply": ["f:specf:text"],
    }


def test_at_most_ten_updaters_are_kept_and_the_oldest_become_one() -> None:
    live = _update(None, toy({"labels": {"k0": "v"}}), "m0", now="2026-01-01T00:00:00Z").object
    for number in range(1, 13):
        labels = {**live["spec"]["labels"], f"k{number}": "v"}
        live = _update(live, _with(live, labels=labels), f"m{number:02}", now=f"2026-01-01T00:01:{number:02}Z").object
    owners = _owners(live)
    assert len(owners) == 10
    assert owners["ancient-changes/Update"] == sorted(
        ["f:spec", "f:specf:labels", *(f"f:specf:labelsf:k{number}" for number in range(4))]
    )


def test_kubectl_wins_what_its_annotation_says_it_set() -> None:
    said = json.dumps(toy({"count": 1, "text": "x"}))
    first = {**toy({"count": 1, "text": "x"}), "metadata": {"name": "t", "annotations": {_ANNOTATION: said}}}
    live = _update(None, first, "kubectl-client-side-apply").object
    for other in ("flux", "kilde"):
        with pytest.raises(ApplyConflict):
            _apply(live, toy({"count": 2}), other)
    moved = _apply(live, toy({"count": 2}), "kubectl").object
    assert moved["spec"] == {"count": 2, "text": "x"}
    assert moved["metadata"]["annotations"][_ANNOTATION] == (
        '{"apiVersion":"toy.test/v1","kind":"Toy","metadata":{"name":"t"},"spec":{"count":2}}\n'
    )
    edited = _update(live, _with(live, count=5), "someone").object
    with pytest.raises(ApplyConflict) as caught:
        _apply(edited, toy({"count": 2, "text": "y"}), "kubectl")
    assert [conflict.field for conflict in caught.value.conflicts] == [".spec.count"]


@pytest.mark.parametrize("sent", [[], [{}], [{"manager": "x"}]])
def test_an_applied_document_must_not_hold_managed_fields(sent: Any) -> None:
    with pytest.raises(BadApply, match=r"^metadata.managedFields must be nil$"):
        _apply(None, {**toy({}), "metadata": {"name": "t", "managedFields": sent}})


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"bogus": 1}, ".spec.bogus: field not declared in schema"),
        ({"count": "x"}, ".spec.count: expected numeric (int or float), got string"),
        ({"text": 7}, ".spec.text: expected string, got &value.valueUnstructured{Value:7}"),
        ({"on": "yes"}, ".spec.on: expected boolean, got &{yes}"),
        ({"labels": ["a"]}, ".spec.labels: expected map, got &{[a]}"),
        ({"args": {"a": 1}}, ".spec.args: expected list, got &{map[a:1]}"),
        (
            {"args": [{}]},
            ".spec.args[0]: expected string, got &value.valueUnstructured{Value:map[string]interface {}{}}",
        ),
        ({"tags": ["a", "a"]}, '.spec.tags: duplicate entries for key [="a"]'),
        (
            {"tags": [None]},
            ".spec.tags: element 0: associative list without keys has an element that's an explicit null",
        ),
        ({"items": [{"name": "a"}, {"name": "a"}]}, '.spec.items: duplicate entries for key [name="a"]'),
        (
            {"items": [{"value": "x"}]},
            '.spec.items: element 0: associative list with keys has an element that omits all key fields ["name"] '
            "(and doesn't have default values for any key fields)",
        ),
        ({"items": [None]}, ".spec.items: element 0: associative list with keys may not have a null element"),
        (
            {"ports": [{"port": 1}, {"port": 1, "protocol": "TCP"}]},
            '.spec.ports: duplicate entries for key [port=1,protocol="TCP"]',
        ),
        (
            {"count": "x", "on": 1},
            "errors:\n  .spec.count: expected numeric (int or float), got string\n  .spec.on: expected boolean, got &{1}",
        ),
    ],
)
def test_what_does_not_fit_its_type_is_told_as_a_server_tells_it(spec: Any, message: str) -> None:
    with pytest.raises(TypingError) as caught:
        _apply(None, toy(spec))
    assert caught.value.what == f"failed to create typed patch object (/t; toy.test/v1, Kind=Toy): {message}"


def test_a_live_object_that_does_not_fit_is_told_apart_from_the_applied_one() -> None:
    live = {**toy({"items": [{"value": "x"}]})}
    with pytest.raises(TypingError, match="failed to create manager for existing fields: failed to convert new object"):
        _apply(live, toy({"items": [{"name": "a"}]}))
    owners = _apply(None, toy({"count": 1})).object["metadata"]["managedFields"]
    owned = {**live, "metadata": {**live["metadata"], "managedFields": owners}}
    with pytest.raises(TypingError, match="failed to create typed live object"):
        _apply(owned, toy({"items": [{"name": "a"}]}))


def test_what_an_update_cannot_compare_is_owned_by_nobody() -> None:
    live = _apply(None, toy({"count": 1})).object
    changed = _update(live, toy({"items": [{"value": "x"}]})).object
    assert changed == toy({"items": [{"value": "x"}]})


def test_objects_as_deep_as_nobody_writes_them_are_refused() -> None:
    deep: Any = 1
    for _ in range(3000):
        deep = {"a": deep}
    with pytest.raises(TypingError):
        _apply(None, toy({"free": deep}))


@given(SPECS, SPECS, SPECS)
def test_applying_settles_and_never_changes_what_it_was_given(one: Any, two: Any, three: Any) -> None:
    live = _apply(None, toy(one)).object
    before = json.dumps(live)
    live = _apply(live, toy(two), "b", force=True).object
    then = _apply(live, toy(three), "a", force=True)
    # As in a real server a map emptied by dropping its last key is null first and {} once it is applied again, and an
    # object whose last owner is gone gets one of what is there.
    for _ in range(2):
        then = _apply(then.object, toy(three), "a", force=True)
    assert json.dumps(_apply(None, toy(one)).object) == before
    again = _apply(then.object, toy(three), "a", force=True, now=_T3)
    assert again == ApplyResult(then.object, changed=False)


@given(SPECS, SPECS)
def test_owners_own_only_what_is_there(one: Any, two: Any) -> None:
    live = _apply(None, toy(one)).object
    live = _update(live, {**live, "spec": two}).object
    live = _apply(live, toy(one), "b", force=True).object
    for entry in live["metadata"].get("managedFields", []):
        for path in FieldSet(entry["fieldsV1"]).paths():
            assert _there(live, path), path


def _there(value: Any, path: tuple[str, ...]) -> bool:
    for element in path:
        if element.startswith("f:"):
            if not isinstance(value, dict) or element[2:] not in value:
                return False
            value = value[element[2:]]
        elif element.startswith("v:"):
            if json.loads(element[2:]) not in value:
                return False
        else:
            keys = json.loads(element[2:])
            found = [item for item in value if all(item.get(k, "TCP") == v for k, v in keys.items())]
            if not found:
                return False
            value = found[0]
    return True
