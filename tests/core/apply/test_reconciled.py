"""The words of roles and bindings: what kubectl would have to write first, and how it tells what it adds."""

from typing import Any

import pytest

from kilde.core.apply.reconciled import is_reconciled, reconciled_words
from kilde.core.objects.ref import ObjectRef

GROUP = "rbac.authorization.k8s.io"
REF = {kind: ObjectRef(GROUP, kind, "", "x") for kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")}
READ = {"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get"]}
USER = {"kind": "User", "apiGroup": GROUP, "name": "ann"}
ACCOUNT = {"kind": "ServiceAccount", "name": "web", "namespace": "shop"}


def role(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x"}, "rules": list(rules), **more}


def binding(*subjects: dict[str, str], to: str = "view", group: str = GROUP) -> dict[str, Any]:
    return {
        "metadata": {"name": "x"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": to},
        "subjects": list(subjects),
    }


def told(kind: str, wanted: Any, live: Any, verb: str = "configured", *, dry_run: bool = False) -> str:
    """The words without the object's name."""
    name = f"{kind.lower()}.{GROUP}/x"
    words = reconciled_words(REF[kind], wanted, live, verb, dry_run=dry_run)
    assert words.startswith(f"{name} reconciled")
    return words.replace(name, "X")


def added(*rules: dict[str, Any], live: tuple[dict[str, Any], ...]) -> list[str]:
    """The lines of the rules that are missing in `live`."""
    words = told("Role", role(*rules), role(*live))
    return [line.partition("}")[0].strip() + "}" for line in words.split("\n")[2:]]


def test_four_kinds_are_reconciled() -> None:
    assert all(is_reconciled(ref) for ref in REF.values())
    assert not is_reconciled(ObjectRef("", "ServiceAccount", "shop", "x"))
    assert not is_reconciled(ObjectRef("example.org", "Role", "shop", "x"))


def test_one_that_is_made_is_told_with_its_rules_as_they_are_written() -> None:
    urls = {"nonResourceURLs": ["/healthz", "/livez"], "verbs": ["get"]}
    words = told("ClusterRole", role(READ, urls), None, "created")
    made, _, warning = words.partition(" Warning: ")
    assert made == (
        "X reconciled. reconciliation required create\n\tmissing rules added:"
        "\n\t\t{Verbs:[get] APIGroups:[] Resources:[pods secrets] ResourceNames:[] NonResourceURLs:[]}"
        "\n\t\t{Verbs:[get] APIGroups:[] Resources:[] ResourceNames:[] NonResourceURLs:[/healthz /livez]}X configured."
    )
    assert warning.startswith("resource clusterroles/x is missing the kubectl.kubernetes.io/last-applied-configuration")
    assert told("Role", role(), None, "created").startswith(
        "X reconciled. reconciliation required createX configured. W"
    )


def test_a_dry_run_makes_nothing() -> None:
    line = "\n\t\t{Kind:User APIGroup:rbac.authorization.k8s.io Name:ann Namespace:}"
    assert told("RoleBinding", binding(USER), None, "created", dry_run=True) == (
        f"X reconciled (dry run). reconciliation required create\n\tmissing subjects added:{line}X created (dry run)"
    )
    same = binding(USER)
    assert told("RoleBinding", same, same, "unchanged", dry_run=True) == "X reconciled (dry run)X unchanged (dry run)"


@pytest.mark.parametrize("verb", ["unchanged", "configured"])
def test_what_is_too_much_is_left_to_the_apply(verb: str) -> None:
    assert told("Role", role(READ), role(READ, {**READ, "verbs": ["list"]}), verb) == f"X reconciledX {verb}"
    assert told("RoleBinding", binding(USER), binding(USER, ACCOUNT), verb) == f"X reconciledX {verb}"


def test_what_is_missing_is_told_one_verb_of_one_resource_at_a_time() -> None:
    none = "ResourceNames:[] NonResourceURLs:[]}"
    wanted = {"apiGroups": ["", "apps"], "resources": ["pods"], "verbs": ["get", "list"]}
    assert added(wanted, live=(READ,)) == [
        f"{{Verbs:[list] APIGroups:[] Resources:[pods] {none}",
        f"{{Verbs:[get] APIGroups:[apps] Resources:[pods] {none}",
        f"{{Verbs:[list] APIGroups:[apps] Resources:[pods] {none}",
    ]
    urls = {"nonResourceURLs": ["/a/b", "/c"], "verbs": ["get"]}
    assert added(urls, live=({"nonResourceURLs": ["/a/*"], "verbs": ["*"]},)) == [
        "{Verbs:[get] APIGroups:[] Resources:[] ResourceNames:[] NonResourceURLs:[/c]}"
    ]
    named = {**READ, "resources": ["pods"], "resourceNames": ["a", "b"]}
    assert added(named, live=({**named, "resourceNames": ["a"]},)) == [
        "{Verbs:[get] APIGroups:[] Resources:[pods] ResourceNames:[b] NonResourceURLs:[]}"
    ]
    assert added(READ, live=({**READ, "resourceNames": ["a"]},)) == [
        f"{{Verbs:[get] APIGroups:[] Resources:[pods] {none}",
        f"{{Verbs:[get] APIGroups:[] Resources:[secrets] {none}",
    ]


@pytest.mark.parametrize(
    "wide",
    [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": ["", "apps"], "resources": ["*/log"], "verbs": ["list", "get"], "resourceNames": None},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"], "resourceNames": ["b", "a"]},
    ],
)
def test_a_rule_that_permits_as_much_covers_another(wide: dict[str, Any]) -> None:
    narrow = {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"], "resourceNames": ["a"]}
    assert told("Role", role(narrow), role(wide)) == "X reconciledX configured"
    assert "missing rules added" in told("Role", role(narrow), role({**wide, "verbs": ["watch"]}))


def test_marks_and_aggregation_are_reconciled_too() -> None:
    labelled = {**role(READ), "metadata": {"name": "x", "labels": {"team": "red"}}}
    other = {**role(READ), "metadata": {"name": "x", "labels": {"team": "blue"}}}
    required = "X reconciled. reconciliation required updateX configured"
    assert told("Role", labelled, role(READ)) == required
    assert told("Role", labelled, other) == "X reconciledX configured"
    some, more = ({"clusterRoleSelectors": [{"matchLabels": {"to": name}} for name in names]} for names in ("a", "ab"))
    assert told("ClusterRole", role(aggregationRule=more), role(aggregationRule=some)) == required
    assert told("ClusterRole", role(aggregationRule=more), role()) == required
    assert told("ClusterRole", role(), role(aggregationRule=some)) == required
    assert told("ClusterRole", role(aggregationRule=some), role(aggregationRule=more)) == "X reconciledX configured"


def test_subjects_that_are_missing_are_told_once_and_as_they_are_written() -> None:
    short = {"kind": "User", "name": "ann"}  # the server fills in the group, kubectl does not
    assert told("ClusterRoleBinding", binding(ACCOUNT, short, short), binding(USER), "unchanged") == (
        "X reconciled. reconciliation required update\n\tmissing subjects added:"
        "\n\t\t{Kind:ServiceAccount APIGroup: Name:web Namespace:shop}\n\t\t{Kind:User APIGroup: Name:ann Namespace:}X configured"
    )


def test_a_binding_to_another_role_is_made_anew() -> None:
    words = told("RoleBinding", binding(USER), binding(ACCOUNT, to="edit"))
    assert words.startswith(
        "X reconciled. reconciliation required recreateX configured. Warning: resource rolebindings/x "
    )
    assert told("RoleBinding", binding(USER), binding(USER, group=""), dry_run=True) == (
        "X reconciled (dry run). reconciliation required recreateX configured (dry run)"
    )


def test_one_that_opted_out_is_told_so() -> None:
    out = {**role(), "metadata": {"annotations": {"rbac.authorization.kubernetes.io/autoupdate": "false"}}}
    assert told("Role", role(READ), out).startswith(
        "X reconciled. reconciliation required update, but object opted out (rbac.authorization.kubernetes.io/autoupdate: false)\n"
    )
    assert told("Role", role(), out) == "X reconciledX configured"
