"""Entries of a client-side apply become those of the one who applies, as client-go's csaupgrade does it."""

from typing import Any

from kilde.core.objects.typed.handing_over import handed_over

KUBECTL = "kubectl-client-side-apply"


def entry(manager: str, operation: str, *keys: str, version: str = "v1", time: str = "", **more: str) -> dict[str, Any]:
    fields = {"f:data": {f"f:{key}": {} for key in keys}}
    head = {"manager": manager, "operation": operation, "apiVersion": version}
    head |= {"time": time} if time else {}
    return {**head, "fieldsType": "FieldsV1", "fieldsV1": fields, **more}


def owned(*entries: dict[str, Any]) -> list[dict[str, Any]] | None:
    live = {"metadata": {"name": "a", "managedFields": list(entries)}}
    return handed_over(live, former=KUBECTL, manager="kilde")


def test_the_fields_of_both_are_ours() -> None:
    person = entry("kubectl-edit", "Update", "c")
    found = owned(entry("kilde", "Apply", "a", time="2026-01-02T00:00:00Z"), entry(KUBECTL, "Update", "a", "b"), person)
    assert found == [entry("kilde", "Apply", "a", "b", time="2026-01-02T00:00:00Z"), person]


def test_where_we_have_nothing_yet_its_entry_is_renamed() -> None:
    found = owned(entry(KUBECTL, "Update", "a", "b", time="2026-01-01T00:00:00Z"))
    assert found == [entry("kilde", "Apply", "a", "b", time="2026-01-01T00:00:00Z")]


def test_of_another_version_it_goes_and_its_fields_are_nobodys() -> None:
    ours = entry("kilde", "Apply", "a", version="v2")
    assert owned(ours, entry(KUBECTL, "Update", "b", version="v1")) == [ours]


def test_an_apply_or_the_status_of_the_same_name_is_no_client_side_apply() -> None:
    assert owned(entry(KUBECTL, "Apply", "a"), entry(KUBECTL, "Update", "a", subresource="status")) is None
    assert owned(entry("kilde", "Apply", "a")) is None
    assert owned() is None
    assert handed_over({"metadata": {"managedFields": [7]}}, former=KUBECTL, manager="kilde") is None
