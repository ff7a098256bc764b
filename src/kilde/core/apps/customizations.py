"""Customizations: what `argocd-cm` says of kinds for every application: health checks in Lua, and differences to ignore.

Two ways to write the same (Argo CD's operator manual, resource customizations): keys such as
`resource.customizations.health.apps_Deployment` and `resource.customizations.ignoreDifferences.all`, or one key
`resource.customizations` with `<group>/<kind>` globs. `resource.compareoptions` says whether the rules of aggregated ClusterRoles count.
"""

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.reading import Reader
from kilde.core.basics.values import Object
from kilde.core.health.health import Health
from kilde.core.health.lua import lua_judge
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.plan.ignore import IgnoreRule, read_rules
from kilde.core.plan.known_types import KnownField, read_known_field

Judge = Callable[[Object], Health | None]
_ALL = "resource.customizations"
_COMPARE = "resource.compareoptions"
_ROLLOUT = ("argoproj.io", "Rollout")  # its pod is read as one, unless somebody says which fields are
_ITS_POD = KnownField(("spec", "template", "spec"), "core/v1/PodSpec")
_HEALTH, _IGNORE, _KNOWN = f"{_ALL}.health.", f"{_ALL}.ignoreDifferences.", f"{_ALL}.knownTypeFields."


@dataclass(frozen=True, slots=True)
class Customizations:
    """Checks by (group, kind) globs, the exact ones first; rules and known fields of every application; problems, for the log."""

    checks: tuple[tuple[str, str, str], ...] = ()  # group, kind, script
    ignore: tuple[IgnoreRule, ...] = ()
    problems: tuple[str, ...] = ()
    _judges: dict[str, Judge] = field(default_factory=dict, compare=False, repr=False)

    def judge(self, group: str, kind: str) -> Judge | None:
        """The check that is configured for a kind; None where there is none."""
        for of_group, of_kind, script in self.checks:
            if fnmatch.fnmatchcase(group, of_group) and fnmatch.fnmatchcase(kind, of_kind):
                return self._judges.setdefault(script, lua_judge(script))
        return None


def read_customizations(data: Mapping[str, Any]) -> Customizations:
    """From the data of `argocd-cm`. Never raises: what cannot be read is in `problems`."""
    checks: list[tuple[str, str, str]] = []
    rules: list[IgnoreRule] = []
    problems: list[str] = []
    for key, text in sorted(data.items()):
        if key.startswith(_HEALTH):
            group, kind = _kind(key.removeprefix(_HEALTH))
            checks.append((group, kind, str(text)))
        elif key.startswith(_IGNORE):
            name = key.removeprefix(_IGNORE)
            group, kind = ("*", "*") if name == "all" else _kind(name)
            rules += _rules(group, kind, parsed(key, text, problems), key, problems)
        elif key.startswith(_KNOWN):
            rules += _known(*_kind(key.removeprefix(_KNOWN)), parsed(key, text, problems), key, problems)
    for name, entry in entries(data, problems):
        group, _, kind = name.rpartition("/")
        if isinstance(script := entry.get("health.lua"), str):
            checks.append((group, kind, script))
        if "knownTypeFields" in entry:
            rules += _known(group, kind, entry["knownTypeFields"], f"{_ALL}: {name}: knownTypeFields", problems)
        if "ignoreDifferences" in entry:
            at = f"{_ALL}: {name}: ignoreDifferences"
            said = entry["ignoreDifferences"]
            found = parsed(at, said, problems) if isinstance(said, str) else said
            rules += _rules(group, kind, found, at, problems)
    rules += _aggregated_roles(data, problems)
    if not any(rule.group == _ROLLOUT[0] and rule.kind == _ROLLOUT[1] and _is_known(rule) for rule in rules):
        rules.append(IgnoreRule(group=_ROLLOUT[0], kind=_ROLLOUT[1], pointers=(_ITS_POD,)))
    exact = [check for check in checks if not _is_glob(check)]
    return Customizations((*exact, *(check for check in checks if _is_glob(check))), tuple(rules), tuple(problems))


def _is_known(rule: IgnoreRule) -> bool:
    return any(isinstance(pointer, KnownField) for pointer in rule.pointers)


def _is_glob(check: tuple[str, str, str]) -> bool:
    return any(sign in part for part in check[:2] for sign in "*?[")


def _kind(name: str) -> tuple[str, str]:
    """`apps_Deployment`, or `Pod` of the group without a name."""
    group, _, kind = name.rpartition("_")
    return group, kind


def entries(data: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    found = parsed(_ALL, data.get(_ALL) or "", problems)
    if not isinstance(found, Mapping):
        return
    for name, entry in found.items():
        if isinstance(entry, Mapping):
            yield str(name), entry


def parsed(at: str, text: Any, problems: list[str]) -> Any:
    try:
        documents = read_documents(str(text).encode(), file=at)
    except InvalidInput as error:
        problems.append(str(error))
        return None
    return documents[0].value if documents else None


def _aggregated_roles(data: Mapping[str, Any], problems: list[str]) -> Iterable[IgnoreRule]:
    """A ClusterRole with an aggregationRule has its rules from others; whether Git's count says `ignoreAggregatedRoles`."""
    found = parsed(_COMPARE, data.get(_COMPARE) or "", problems)
    if not isinstance(found, Mapping) or found.get("ignoreAggregatedRoles") is not True:
        return ()
    said = {"jqPathExpressions": ["select(.aggregationRule) | .rules"]}
    return _rules("rbac.authorization.k8s.io", "ClusterRole", said, _COMPARE, problems)


def _known(group: str, kind: str, found: Any, at: str, problems: list[str]) -> Iterable[IgnoreRule]:
    """The fields of a kind that hold a built-in type; one that is not supported is told and passed over."""
    reader = Reader({"rule": found}, at)
    read = [read_known_field(one.text("field"), one.text("type")) for one in reader.items("rule")]
    problems += [*reader.problems, *(f"{at}: {one}" for one in read if isinstance(one, str))]
    fields = tuple(one for one in read if not isinstance(one, str))
    return [IgnoreRule(group=group, kind=kind, pointers=fields)] if fields else []


def _rules(group: str, kind: str, found: Any, at: str, problems: list[str]) -> Iterable[IgnoreRule]:
    if found is None:
        return ()
    reader = Reader({"rule": [{**found, "group": group, "kind": kind} if isinstance(found, Mapping) else found]}, at)
    rules = read_rules(reader.items("rule"))
    found_wrong = [*reader.problems, *(text for rule in rules for text in (*rule.odd, *rule.unread))]
    problems += found_wrong
    return rules if not found_wrong else ()
