"""Manifests: the objects of the guard, as they are put into a cluster.

One ValidatingAdmissionPolicy reads a GuardedSpace a namespace (its params) and refuses what has an entry there. A binding a namespace
leads to it, so that a write is judged by one small map. ConfigMaps would do, but once no policy has such params any more,
kube-apiserver finds none until it is started anew. By convention a user `system:…` is a component, a node or a service account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.guard.entries import WHOLE

LABEL = "kilde.dev/guard"
SETTINGS, ENTRIES, WINDOW = "settings", "entries", "window"
OPENED = "kilde.dev/guard-opened"  # on a window: the number of its record in the ledger
PROBLEM = "kilde.dev/guard-problem"  # on the settings: why nothing is guarded
PARAMS, GUARDED = "kilde.dev/v1alpha1", "GuardedSpace"
_API = "admissionregistration.k8s.io/v1"
_RBAC = "rbac.authorization.k8s.io/v1"
_OUT = "; in an emergency: kilde guard open --reason …"
_NAMED = "request.name != '' ? request.name : (oldObject != null ? oldObject.metadata.name : '')"
_SPEC_STAYS = (
    "request.operation == 'UPDATE' && request.resource.group == 'argoproj.io' && has(object.spec) && has(oldObject.spec)"
    " && object.spec == oldObject.spec"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who counts as people: all but `system:…`, `users` and `groups`; and of `system:…` those in `refused`."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    refused: tuple[str, ...] = ("system:admin", "system:anonymous")

    @property
    def conditions(self) -> list[Object]:
        """matchConditions of a policy."""
        user = "request.userInfo.username"
        found = [_condition("people", f"!{user}.startsWith('system:') || {user} in {_list(self.refused)}")]
        if self.users:
            found.append(_condition("not-users", f"!({user} in {_list(self.users)})"))
        if self.groups:
            groups = f"has(request.userInfo.groups) && request.userInfo.groups.exists(g, g in {_list(self.groups)})"
            found.append(_condition("not-groups", f"!({groups})"))
        return found


def name_of(space: str, *more: str) -> str:
    """The name of the guard's objects; `space` is the namespace of the Applications, so that two controllers do not meet."""
    return ".".join(("kilde-guard", space, *more))


def policies(space: str, people: People) -> list[Object]:
    """The policy of owned objects, and the one that keeps the guard's own objects and the names in windows true."""
    return [_owned(space, people), _own(space, people), _own_binding(space)]


def _owned(space: str, people: People) -> Object:
    rules = {
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE", "DELETE"],
        "resources": ["*", "*/scale"],
        "scope": "*",
    }
    key = "request.resource.resource + '_' + request.resource.group + '_' + variables.name.replace(':', '_')"
    data = "has(params.data)"
    return {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name_of(space), "labels": {LABEL: "policy"}},
        "spec": {
            "failurePolicy": "Fail",
            "paramKind": {"apiVersion": PARAMS, "kind": GUARDED},
            "matchConstraints": {"resourceRules": [rules]},
            "matchConditions": people.conditions,
            "variables": [
                {"name": "name", "expression": _NAMED},
                {"name": "key", "expression": key},
                {
                    "name": "entry",
                    "expression": f"{data} && variables.key in params.data ? params.data[variables.key] : ''",
                },
            ],
            "validations": [
                {
                    "expression": f"variables.entry == '' || ({_SPEC_STAYS})",
                    "messageExpression": f"variables.entry + '{_OUT}'",
                    "reason": "Forbidden",
                },
                {
                    "expression": f"variables.entry != '' || !({data} && '{WHOLE}' in params.data)",
                    "message": f"Git owns this namespace: nothing in it is written by hand{_OUT}",
                    "reason": "Forbidden",
                },
            ],
        },
    }


def _own(space: str, people: People) -> Object:
    """Entries are Kilde's; a window is made by whom it names, never changed, and may be ended by deleting it."""
    label = f"'{LABEL}'"

    def marked(which: str) -> str:
        return f"{which} != null && has({which}.metadata.labels) && {label} in {which}.metadata.labels"

    def is_one_of(which: str) -> str:
        return f"({marked(which)} && {which}.metadata.labels[{label}] in {_list((ENTRIES, WINDOW))})"

    new, old = f"object.metadata.labels[{label}]", f"oldObject.metadata.labels[{label}]"
    mine = "has(object.data) && 'who' in object.data && object.data['who'] == request.userInfo.username"
    words = {"apiVersions": ["*"], "operations": ["CREATE", "UPDATE", "DELETE"]}
    rules = [
        {"apiGroups": [""], "resources": ["configmaps"], **words},
        {"apiGroups": ["kilde.dev"], "resources": ["guardedspaces"], **words},
    ]
    return {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name_of(space, "own"), "labels": {LABEL: "policy"}},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": rules, "namespaceSelector": _only(space)},
            "matchConditions": [
                *people.conditions,
                _condition("the-guards", f"{is_one_of('object')} || {is_one_of('oldObject')}"),
            ],
            "validations": [
                {
                    "expression": f"request.operation != 'CREATE' || ({new} == '{WINDOW}' && {mine})",
                    "message": "a window of the guard is opened by the person it names: use kilde guard open",
                    "reason": "Forbidden",
                },
                {
                    "expression": "request.operation != 'UPDATE'",
                    "message": "what the guard keeps is not changed by hand",
                    "reason": "Forbidden",
                },
                {
                    "expression": f"request.operation != 'DELETE' || {old} == '{WINDOW}'",
                    "message": "the guard's entries are kept by Kilde; kilde guard uninstall takes the guard away",
                    "reason": "Forbidden",
                },
            ],
        },
    }


def _own_binding(space: str) -> Object:
    return {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name_of(space, "own"), "labels": {LABEL: "policy"}},
        "spec": {"policyName": name_of(space, "own"), "validationActions": ["Deny"]},
    }


def binding(space: str, namespace: str) -> Object:
    """Leads writes in a namespace to its entries; `namespace` "": writes of objects that are in none."""
    scope = "Namespaced" if namespace else "Cluster"
    rule = {
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "operations": ["*"],
        "resources": ["*", "*/scale"],
        "scope": scope,
    }
    about: dict[str, Any] = {"resourceRules": [rule]}
    if namespace:
        about["namespaceSelector"] = _only(namespace)
    name = entries_name(space, namespace)
    return {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name, "labels": {LABEL: ENTRIES}},
        "spec": {
            "policyName": name_of(space),
            "paramRef": {"name": name, "namespace": space, "parameterNotFoundAction": "Allow"},
            "matchResources": about,
            "validationActions": ["Deny"],
        },
    }


def entries_name(space: str, namespace: str) -> str:
    """The name of a namespace's binding and of its GuardedSpace."""
    return name_of(space, "in", namespace) if namespace else name_of(space, "cluster")


def entries(space: str, namespace: str, data: Mapping[str, str]) -> Object:
    """The GuardedSpace of a namespace's entries."""
    meta = {"name": entries_name(space, namespace), "namespace": space, "labels": {LABEL: ENTRIES}}
    return {"apiVersion": PARAMS, "kind": GUARDED, "metadata": meta, "data": dict(data)}


def namespace_of(name: str, space: str) -> str | None:
    """The namespace whose entries an object of that name has ("": of none); None if it has none."""
    if name == entries_name(space, ""):
        return ""
    head = name_of(space, "in", "")
    return name.removeprefix(head) if name.startswith(head) else None


def settings(space: str, *, namespaces: Sequence[str], whole: bool, people: People) -> Object:
    """What tells the controller that there is a guard. Without `namespaces` it is everywhere that Git owns something."""
    meta = {"name": name_of(space), "namespace": space, "labels": {LABEL: SETTINGS}}
    data = {"namespaces": ",".join(sorted(namespaces)), "whole": "true" if whole else "false"}
    data |= {"users": ",".join(people.users), "refused": ",".join(people.refused)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def window(space: str, *, suffix: str, who: str, reason: str, until: str, applications: Sequence[str]) -> Object:
    """A window as `kilde guard open` asks for it."""
    meta = {"name": name_of(space, "window", suffix), "namespace": space, "labels": {LABEL: WINDOW}}
    data = {"who": who, "reason": reason, "until": until, "applications": ",".join(sorted(applications))}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def access(space: str, groups: Sequence[str]) -> list[Object]:
    """RBAC for people: they read everything but Secrets, and may open the guard. Bound to the groups that are named."""
    reads = ["get", "list", "watch"]
    reader: Object = {
        "apiVersion": _RBAC,
        "kind": "ClusterRole",
        "metadata": {"name": name_of(space, "reader"), "labels": {LABEL: "access"}},
        "rules": [
            {"apiGroups": ["argoproj.io", "bitnami.com", "kilde.dev"], "resources": ["*"], "verbs": reads},
            {"apiGroups": [""], "resources": ["nodes", "persistentvolumes", "namespaces"], "verbs": reads},
            {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": reads},
            {"apiGroups": ["storage.k8s.io"], "resources": ["storageclasses"], "verbs": reads},
            {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"], "verbs": reads},
            {
                "apiGroups": ["admissionregistration.k8s.io"],
                "resources": ["validatingadmissionpolicies", "validatingadmissionpolicybindings"],
                "verbs": reads,
            },
        ],
    }
    opener: Object = {
        "apiVersion": _RBAC,
        "kind": "Role",
        "metadata": {"name": name_of(space, "opener"), "namespace": space, "labels": {LABEL: "access"}},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": [*reads, "create", "delete"]}],
    }
    found = [reader, opener]
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group} for group in groups]
    if not subjects:
        return found
    for role in ("view", name_of(space, "reader")):
        meta = {"name": name_of(space, "people", role.rpartition(".")[2]), "labels": {LABEL: "access"}}
        found.append(_binding("ClusterRoleBinding", meta, "ClusterRole", role, subjects))
    meta = {"name": name_of(space, "opener"), "namespace": space, "labels": {LABEL: "access"}}
    found.append(_binding("RoleBinding", meta, "Role", name_of(space, "opener"), subjects))
    return found


def _binding(kind: str, meta: Object, role_kind: str, role: str, subjects: list[Object]) -> Object:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role}
    return {"apiVersion": _RBAC, "kind": kind, "metadata": meta, "roleRef": reference, "subjects": subjects}


def _only(namespace: str) -> Object:
    return {"matchLabels": {"kubernetes.io/metadata.name": namespace}}


def _condition(name: str, expression: str) -> Object:
    return {"name": name, "expression": expression}


def _list(words: Sequence[str]) -> str:
    """A CEL list of strings. Words with quotes, backslashes or control characters are refused by whoever takes them."""
    return "[" + ", ".join(f"'{word}'" for word in words) + "]"
