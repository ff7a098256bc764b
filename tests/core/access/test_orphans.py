"""What counts as an orphan, and what does not."""

import pytest

from kilde.core.access.orphans import (
    OrphanRules,
    Seen,
    by_namespace,
    is_looked_at,
    orphan_conditions,
    orphans,
    seen_of,
)
from kilde.core.access.project import read_project
from kilde.core.objects.ref import ObjectRef


def ref(kind: str, name: str, group: str = "", space: str = "shop") -> ObjectRef:
    return ObjectRef(group, kind, space, name)


def seen(kind: str, name: str, group: str = "", *, owners: tuple[str, ...] = (), app: str = "", of: str = "") -> Seen:
    return Seen(ref(kind, name, group), f"uid-{name}", owners, app, of)


def found(*there: Seen, rules: OrphanRules | None = None, managed: set[ObjectRef] | None = None) -> list[str]:
    refs = orphans(
        rules or OrphanRules(),
        there,
        managed=managed or set(),
        is_app=lambda name: name == "web",
        permits=lambda one: one.kind != "ResourceQuota",
    )
    return [str(one) for one in refs]


def test_what_no_application_has_is_an_orphan_with_all_that_it_owns() -> None:
    there = (
        seen("Pod", "lone-x-1", owners=("uid-lone-x",)),
        seen("ReplicaSet", "lone-x", "apps", owners=("uid-lone",)),
        seen("Deployment", "lone", "apps"),
        seen("ReplicaSet", "web-x", "apps", owners=("uid-web",)),
        seen("Deployment", "web", "apps", app="web"),
    )
    assert found(*there) == ["Pod shop/lone-x-1", "apps/Deployment shop/lone", "apps/ReplicaSet shop/lone-x"]


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (seen("ConfigMap", "a", app="web"), "an application that is there has it"),
        (seen("ConfigMap", "wanted"), "an application wants it"),
        (seen("ServiceAccount", "default"), "every namespace has it"),
        (seen("ConfigMap", "kube-root-ca.crt"), "every namespace has it"),
        (seen("ResourceQuota", "limits"), "the project forbids the kind"),
        (seen("Pod", "p", owners=("uid-of-a-node",)), "something owns it that is elsewhere"),
        (seen("Secret", "ignored-1"), "the project ignores it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_orphan(one: Seen, why: str) -> None:
    rules = OrphanRules(ignore=(("", "Secret", "ignored-*"),))
    assert found(one, rules=rules, managed={ref("ConfigMap", "wanted")}) == [], why


def test_what_an_application_tracked_that_is_gone_is_an_orphan() -> None:
    assert found(seen("ConfigMap", "a", app="gone")) == ["ConfigMap shop/a"]


def test_a_child_that_another_application_has_is_none() -> None:
    assert found(seen("Deployment", "lone", "apps"), seen("Pod", "p", owners=("uid-lone",), app="web")) == [
        "apps/Deployment shop/lone"
    ]


def test_owners_that_kubernetes_does_not_write_down_are_known() -> None:
    there = (
        seen("ServiceAccount", "default"),
        seen("Secret", "default-token-x", of="default"),
        seen("StatefulSet", "db", "apps", app="web"),
        seen("PersistentVolumeClaim", "data-db-0"),
        seen("PersistentVolumeClaim", "data-other-0"),
    )
    assert found(*there) == ["PersistentVolumeClaim shop/data-other-0"]


def test_a_circle_of_owners_ends() -> None:
    there = (
        seen("ConfigMap", "a"),
        seen("ConfigMap", "b", owners=("uid-a", "uid-c")),
        seen("ConfigMap", "c", owners=("uid-b",)),
    )
    assert found(*there) == ["ConfigMap shop/a", "ConfigMap shop/b", "ConfigMap shop/c"]


@pytest.mark.parametrize(
    ("rule", "ignored"),
    [
        (("", "", ""), True),
        (("", "ConfigMap", ""), True),
        (("", "Config*", "a*"), True),
        (("*", "*", "*"), True),
        (("apps", "ConfigMap", "abc"), False),  # the group must fit, and "" is the core group
        (("", "ConfigMap", "b*"), False),
        (("!apps", "ConfigMap", "abc"), False),  # there are no denials here
    ],
)
def test_ignore_rules_are_globs(rule: tuple[str, str, str], ignored: bool) -> None:
    assert OrphanRules(ignore=(rule,)).ignores(ref("ConfigMap", "abc")) is ignored


def test_kinds_that_come_and_go_by_themselves_are_not_looked_at() -> None:
    passed_over = [("", "Event"), ("events.k8s.io", "Event"), ("", "Endpoints"), ("coordination.k8s.io", "Lease")]
    assert not any(is_looked_at(*one) for one in [*passed_over, ("discovery.k8s.io", "EndpointSlice")])
    assert is_looked_at("", "ConfigMap")
    assert is_looked_at("example.org", "Event")


def test_a_project_asks_by_the_field_alone_and_warns_only_when_told_to() -> None:
    def of(spec: object) -> OrphanRules | None:
        return read_project({"metadata": {"name": "team"}, "spec": spec}).orphans

    assert of({}) is None
    assert of({"orphanedResources": {}}) == OrphanRules(warn=False)
    ignore = [{"kind": "Secret", "name": "*.example.com"}]
    assert of({"orphanedResources": {"warn": True, "ignore": ignore}}) == OrphanRules(
        True, (("", "Secret", "*.example.com"),)
    )
    assert orphan_conditions(OrphanRules(True), 2) == [
        ("OrphanedResourceWarning", "Application has 2 orphaned resources")
    ]
    assert orphan_conditions(OrphanRules(False), 2) == orphan_conditions(OrphanRules(True), 0) == []
    assert orphan_conditions(None, 2) == []


def test_the_metadata_of_a_token_names_its_account() -> None:
    meta = {"uid": "u", "annotations": {"kubernetes.io/service-account.name": "ci"}, "ownerReferences": [{"uid": "o"}]}
    assert seen_of(ref("Secret", "t"), meta, "web") == Seen(ref("Secret", "t"), "u", ("o",), "web", "ci")
    assert seen_of(ref("ConfigMap", "t"), {**meta, "ownerReferences": None}, "").token_of == ""


def test_counts_by_namespace_count_nothing_twice() -> None:
    refs = [ref("ConfigMap", "a"), ref("ConfigMap", "a"), ref("ConfigMap", "b"), ref("Secret", "c", space="other")]
    assert by_namespace(refs) == {"shop": 2, "other": 1}
