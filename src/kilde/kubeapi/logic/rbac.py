"""RBAC: whether rules allow a request, and what one may be granted (Kubernetes' plugin/pkg/auth/authorizer/rbac)."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from kilde.core.basics.values import Object

Rule = Object


class Attributes(NamedTuple):
    """What a request does. For a path that is no resource, `path` is set and the resource fields are ""."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def combined(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def allows(rule: Rule, wanted: Attributes) -> bool:
    """Whether one rule allows a request."""
    if not _in(rule.get("verbs"), wanted.verb):
        return False
    if wanted.path:
        return any(_path_matches(str(pattern), wanted.path) for pattern in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames") or ()
    return (
        _in(rule.get("apiGroups"), wanted.group)
        and _resource_matches(rule.get("resources") or (), wanted)
        and (not names or wanted.name in names)
    )


def _in(values: Any, wanted: str) -> bool:
    return any(value in ("*", wanted) for value in values or ())


def _resource_matches(resources: Sequence[str], wanted: Attributes) -> bool:
    for resource in resources:
        if resource in ("*", wanted.combined):
            return True
        if wanted.subresource and resource == f"*/{wanted.subresource}":
            return True
    return False


def _path_matches(pattern: str, path: str) -> bool:
    if pattern.endswith("*"):
        return path.startswith(pattern.rstrip("*"))
    return pattern == path


def is_subject(subject: Object, name: str, groups: Iterable[str], namespace: str) -> bool:
    """Whether a binding's subject is this user; `namespace` is the binding's."""
    kind, wanted = subject.get("kind"), str(subject.get("name") or "")
    if kind == "User":
        return wanted == name
    if kind == "Group":
        return wanted in groups
    if kind == "ServiceAccount":
        return name == f"system:serviceaccount:{subject.get('namespace') or namespace}:{wanted}"
    return False


def denial(user: str, wanted: Attributes) -> str:
    """Why a request is refused, as upstream words it."""
    if wanted.path:
        return f'User "{user}" cannot {wanted.verb} path "{wanted.path}"'
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    what = f'cannot {wanted.verb} resource "{wanted.combined}" in API group "{wanted.group}"'
    return f'User "{user}" {what} {where}'


def uncovered(wanted: Iterable[Rule], held: Sequence[Rule]) -> list[Rule]:
    """Of the rules somebody wants to grant, the parts that are not within those held."""
    parts = [part for rule in wanted for part in _split(rule)]
    return _joined([part for part in parts if not any(_covers(own, part) for own in held)])


def _split(rule: Rule) -> list[Rule]:
    """One rule for each combination of verb and resource or path."""
    found: list[Rule] = []
    for verb in rule.get("verbs") or ():
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                names = rule.get("resourceNames") or [None]
                for name in names:
                    part: Rule = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                    found.append(part if name is None else {**part, "resourceNames": [name]})
        found.extend({"nonResourceURLs": [path], "verbs": [verb]} for path in rule.get("nonResourceURLs") or ())
    return found


def _covers(own: Rule, part: Rule) -> bool:
    if not _all_in(own.get("verbs"), part["verbs"]):
        return False
    if "nonResourceURLs" in part:
        return all(
            any(_path_matches(str(each), path) for each in own.get("nonResourceURLs") or ())
            for path in part["nonResourceURLs"]
        )
    names = own.get("resourceNames") or ()
    if names and not (part.get("resourceNames") and set(part["resourceNames"]) <= set(names)):
        return False
    return _all_in(own.get("apiGroups"), part["apiGroups"]) and all(
        resource in (own.get("resources") or ()) or "*" in (own.get("resources") or ()) or _wild_sub(own, resource)
        for resource in part["resources"]
    )


def _wild_sub(own: Rule, resource: str) -> bool:
    return "/" in resource and f"*/{resource.partition('/')[2]}" in (own.get("resources") or ())


def _all_in(have: Any, wanted: Sequence[str]) -> bool:
    return "*" in (have or ()) or all(each in (have or ()) for each in wanted)


def _joined(parts: list[Rule]) -> list[Rule]:
    """Rules that differ in their verbs only, as one."""
    found: dict[str, Rule] = {}
    for part in parts:
        key = str({name: value for name, value in sorted(part.items()) if name != "verbs"})
        if key in found:
            found[key]["verbs"] = [*found[key]["verbs"], *part["verbs"]]
        else:
            found[key] = {**part}
    return list(found.values())


def compact(rule: Rule) -> str:
    """A rule as upstream's escalation errors print it."""
    names = (("apiGroups", "APIGroups"), ("resources", "Resources"), ("resourceNames", "ResourceNames"))
    parts = [
        f"{label}:{_listed(rule[field])}"
        for field, label in (*names, ("nonResourceURLs", "NonResourceURLs"))
        if rule.get(field)
    ]
    parts.append(f"Verbs:{_listed(rule.get('verbs') or [])}")
    return "{" + ", ".join(parts) + "}"


def _listed(values: Sequence[str]) -> str:
    return "[" + " ".join(f'"{value}"' for value in values) + "]"
