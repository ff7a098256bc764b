"""Validation of roles and bindings."""

from collections.abc import Iterator, Sequence

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, Struct, invalid, not_supported, required
from kilde.kubeapi.resources.validation.fields import check_selector, get, items, named
from kilde.kubeapi.resources.validation.names import dns_subdomain, path_segment

GROUP = "rbac.authorization.k8s.io"


def _rules(role: Object, *, namespaced: bool) -> Iterator[Cause]:
    for index, rule in items(role, "rules"):
        at, urls = f"rules[{index}]", rule.get("nonResourceURLs")
        if not rule.get("verbs"):
            yield required(f"{at}.verbs", "verbs must contain at least one value")
        if urls:
            if namespaced:
                yield invalid(f"{at}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs")
            if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                yield invalid(
                    f"{at}.nonResourceURLs", urls, "rules cannot apply to both regular resources and non-resource URLs"
                )
            continue
        if not rule.get("apiGroups"):
            yield required(f"{at}.apiGroups", "resource rules must supply at least one api group")
        if not rule.get("resources"):
            yield required(f"{at}.resources", "resource rules must supply at least one resource")


def check_role(role: Object) -> Iterator[Cause]:
    """What is wrong with a Role."""
    yield from _rules(role, namespaced=True)


def check_cluster_role(role: Object) -> Iterator[Cause]:
    """What is wrong with a ClusterRole."""
    yield from _rules(role, namespaced=False)
    selectors = get(role, "aggregationRule", "clusterRoleSelectors")
    if role.get("aggregationRule") is not None and not selectors:
        yield required(
            "aggregationRule.clusterRoleSelectors",
            "at least one clusterRoleSelector required if aggregationRule is non-nil",
        )
    for index, selector in enumerate(selectors or ()):
        at = f"aggregationRule.clusterRoleSelectors[{index}]"
        problems = list(check_selector(selector, at))
        yield from problems
        if problems:
            yield invalid(at, None, "invalid label selector.")


def _binding(binding: Object, kinds: Sequence[str], *, namespaced: bool) -> Iterator[Cause]:
    ref = binding.get("roleRef") or {}
    if ref.get("apiGroup", GROUP) != GROUP:
        yield not_supported("roleRef.apiGroup", ref.get("apiGroup"), (GROUP,))
    if ref.get("kind") not in kinds:
        yield not_supported("roleRef.kind", ref.get("kind") or "", kinds)
    yield from named(ref.get("name"), path_segment, "roleRef.name", needed=True)
    for index, subject in items(binding, "subjects"):
        yield from _subject(subject, f"subjects[{index}]", namespaced=namespaced)


def _subject(subject: Object, at: str, *, namespaced: bool) -> Iterator[Cause]:
    kind, group, name = (subject.get(key) or "" for key in ("kind", "apiGroup", "name"))
    if not name:
        yield required(f"{at}.name")
    if kind == "ServiceAccount":
        if name:
            yield from (invalid(f"{at}.name", name, text) for text in dns_subdomain(name))
        if group:
            yield not_supported(f"{at}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            yield required(f"{at}.namespace")
    elif kind in ("User", "Group"):
        if group != GROUP:
            yield not_supported(f"{at}.apiGroup", group, (GROUP,))
    else:
        yield not_supported(f"{at}.kind", kind, ("ServiceAccount", "User", "Group"))


def check_role_binding(binding: Object) -> Iterator[Cause]:
    """What is wrong with a RoleBinding."""
    yield from _binding(binding, ("Role", "ClusterRole"), namespaced=True)


def check_cluster_role_binding(binding: Object) -> Iterator[Cause]:
    """What is wrong with a ClusterRoleBinding."""
    yield from _binding(binding, ("ClusterRole",), namespaced=False)


def _same_role(new: Object, old: Object) -> Iterator[Cause]:
    ref = new.get("roleRef") or {}
    if ref != (old.get("roleRef") or {}):
        dump = Struct(
            {"APIGroup": ref.get("apiGroup") or "", "Kind": ref.get("kind") or "", "Name": ref.get("name") or ""}
        )
        yield invalid("roleRef", dump, "cannot change roleRef")


def check_role_binding_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a RoleBinding: its role stays."""
    yield from check_role_binding(new)
    yield from _same_role(new, old)


def check_cluster_role_binding_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a ClusterRoleBinding: its role stays."""
    yield from check_cluster_role_binding(new)
    yield from _same_role(new, old)
