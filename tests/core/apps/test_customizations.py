"""What argocd-cm says of kinds: checks and ignored differences in both ways of writing, and what cannot be read."""

import pytest

from kilde.core.apps.customizations import Customizations, read_customizations
from kilde.core.basics.values import Object
from kilde.core.health.assess import assess
from kilde.core.health.health import Health, HealthStatus
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.ignore import drop, pointers_for
from kilde.core.plan.known_types import KnownField

WELL = "return {status = 'Healthy', message = 'by ours'}"


def told(found: Customizations, group: str, kind: str) -> str:
    health = assess({"apiVersion": f"{group}/v1" if group else "v1", "kind": kind}, found.judge)
    return health.message if health else ""


def test_checks_of_both_ways() -> None:
    found = read_customizations(
        {
            "resource.customizations.health.example.com_Widget": WELL,
            "resource.customizations.health.ConfigMap": "return {status = 'Degraded', message = 'core'}",
            "resource.customizations": "'*.example.org/*':\n  health.lua: |\n    return {status='Healthy', message='glob'}\n"
            "a.example.org/Gadget:\n  health.lua: |\n    return {status='Healthy', message='exact'}\n",
            "application.resourceTrackingMethod": "annotation",
        }
    )
    assert found.problems == ()
    kinds = (("example.com", "Widget"), ("", "ConfigMap"), ("a.example.org", "Gadget"), ("b.example.org", "Gadget"))
    assert [told(found, *kind) for kind in kinds] == ["by ours", "core", "exact", "glob"]
    assert told(found, "other.example", "Widget") == ""


def test_a_configured_check_comes_before_ours_and_may_leave_it_to_ours() -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"generation": 2},
        "status": {"observedGeneration": 1},
    }
    found = read_customizations({"resource.customizations.health.apps_Deployment": WELL})
    assert assess(deployment, found.judge) == Health(HealthStatus.HEALTHY, "by ours")
    found = read_customizations({"resource.customizations.health.apps_Deployment": "return nil"})
    assert assess(deployment, found.judge) == assess(deployment)


def test_ignored_differences_of_one_kind_of_all_and_by_glob() -> None:
    found = read_customizations(
        {
            "resource.customizations.ignoreDifferences.apps_Deployment": "jsonPointers:\n- /spec/replicas\n",
            "resource.customizations.ignoreDifferences.all": "jqPathExpressions:\n- .metadata.labels\nmanagedFieldsManagers:\n- hpa\n",
            "resource.customizations": "'*/Secret':\n  ignoreDifferences: |\n    jsonPointers:\n    - /data/x\n",
        }
    )
    assert found.problems == ()

    def shown(kind: str, group: str = "") -> list[str]:
        where = pointers_for(found.ignore, ObjectRef(group, kind, "n", "x"))
        return [getattr(each, "text", None) or "/".join(each) for each in where]  # type: ignore[arg-type]

    assert shown("Deployment", "apps") == [".metadata.labels", "spec/replicas"]
    assert shown("Secret") == [".metadata.labels", "data/x"]
    assert shown("ConfigMap") == [".metadata.labels"]


def test_what_cannot_be_read_is_told_and_the_rest_counts() -> None:
    found = read_customizations(
        {
            "resource.customizations": "a: [",
            "resource.customizations.ignoreDifferences.Pod": "jsonPointers: [spec]",
            "resource.customizations.ignoreDifferences.Service": "- a list",
            "resource.customizations.health.ConfigMap": WELL,
        }
    )
    assert told(found, "", "ConfigMap") == "by ours"
    assert len(found.problems) == 3
    assert found.ignore == read_customizations({}).ignore
    assert "'spec' is not a JSON pointer" in " ".join(found.problems)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ignoreAggregatedRoles: true", {"aggregationRule": {"clusterRoleSelectors": []}}),
        ("ignoreAggregatedRoles: false", {"aggregationRule": {"clusterRoleSelectors": []}, "rules": [1]}),
        ("", {"aggregationRule": {"clusterRoleSelectors": []}, "rules": [1]}),
    ],
)
def test_rules_that_others_gave_a_role_count_unless_compareoptions_say_otherwise(
    text: str, left: dict[str, object]
) -> None:
    rules = read_customizations({"resource.compareoptions": text}).ignore
    where = pointers_for(rules, ObjectRef("rbac.authorization.k8s.io", "ClusterRole", "", "x"))
    assert drop({"rules": [1], "aggregationRule": {"clusterRoleSelectors": []}}, where) == left
    assert drop({"rules": [1]}, where) == {"rules": [1]}
    assert pointers_for(rules, ObjectRef("rbac.authorization.k8s.io", "Role", "n", "x")) == ()


@pytest.mark.parametrize(
    "data",
    [
        {
            "resource.customizations.knownTypeFields.example.com_Thing": "- field: spec.resources\n  type: core/v1/ResourceList\n"
            "- field: spec.pods.spec\n  type: core/v1/PodSpec\n- field: spec.size\n  type: core/Quantity\n"
        },
        {
            "resource.customizations": "example.com/Thing:\n  knownTypeFields:\n  - {field: spec.resources, type: core/v1/ResourceList}\n"
            "  - {field: spec.pods.spec, type: core/v1/PodSpec}\n  - {field: spec.size, type: core/Quantity}\n"
        },
    ],
)
def test_a_field_of_a_known_type_is_compared_as_that_type(data: dict[str, str]) -> None:
    def spec(cpu: str, memory: str, size: object) -> Object:
        container = {"name": "a", "resources": {"limits": {"memory": memory}}}
        return {"resources": {"cpu": cpu}, "pods": [{"spec": {"containers": [container]}}], "size": size, "other": "x"}

    def compared(kind: str, before: Object, after: Object) -> bool:
        found = read_customizations(data)
        assert found.problems == ()
        where = pointers_for(found.ignore, ObjectRef("example.com", kind, "web", "t"))
        return drop({"spec": before}, where) == drop({"spec": after}, where)

    git, same, other = spec("1000m", "1024Mi", 1000), spec("1", "1Gi", "1k"), spec("1", "2Gi", "1k")
    assert (compared("Thing", git, same), compared("Thing", git, other)) == (True, False)
    assert not compared("Else", git, same)


def test_a_type_that_is_not_known_is_told() -> None:
    said = "- {field: spec.a, type: core/v1/Nothing}\n- {field: '', type: core/Quantity}\n- {field: spec.b, type: core/Quantity}\n"
    found = read_customizations({"resource.customizations.knownTypeFields.example.com_Thing": said})
    at = "resource.customizations.knownTypeFields.example.com_Thing"
    assert found.problems == (f"{at}: type 'core/v1/Nothing' is not supported", f"{at}: field is missing")
    assert [rule.pointers for rule in found.ignore if rule.kind == "Thing"] == [
        (KnownField(("spec", "b"), "core/Quantity"),)
    ]


@pytest.mark.parametrize(
    ("text", "as_go_has_it"),
    [
        ("60s", "1m0s"),
        ("3600s", "1h0m0s"),
        ("1.50s", "1.5s"),
        ("0", "0s"),
        ("1500us", "1.5ms"),
        ("1500ns", "1.5µs"),
        ("12ns", "12ns"),
        ("-90m", "-1h30m0s"),
        ("0.1s", "100ms"),
        ("soon", "soon"),
        (5, 5),
    ],
)
def test_a_duration_is_compared_as_go_writes_it(text: object, as_go_has_it: object) -> None:
    field = KnownField(("spec", "every"), "meta/v1/Duration")
    assert field.rewritten({"spec": {"every": text}}) == {"spec": {"every": as_go_has_it}}


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        ({}, True),
        (
            {"resource.customizations.knownTypeFields.argoproj.io_Rollout": "- {field: spec.x, type: core/Quantity}"},
            False,
        ),
    ],
)
def test_the_pod_of_a_rollout_is_a_pod_unless_its_fields_are_named(data: dict[str, str], is_one: bool) -> None:
    def pod(cpu: str) -> Object:
        limits = {"resources": {"limits": {"cpu": cpu}}}
        return {"spec": {"template": {"spec": {"containers": [{"name": "a", **limits}]}}}}

    where = pointers_for(read_customizations(data).ignore, ObjectRef("argoproj.io", "Rollout", "web", "r"))
    assert (drop(pod("1000m"), where) == drop(pod("1"), where)) is is_one
