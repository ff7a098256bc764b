"""Audit policy: which requests are recorded, and how much of them (k8s.io/apiserver, pkg/audit/policy; audit.k8s.io/v1 Policy)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json
from kilde.kubeapi.logic.rbac import Attributes

STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
_RULE = ("level", "users", "userGroups", "verbs", "resources", "namespaces", "nonResourceURLs", "omitStages")
_POLICY = ("apiVersion", "kind", "metadata", "rules", "omitStages", "omitManagedFields")


class Level(IntEnum):
    """How much is recorded: who and what, the body of the request, that of the answer too."""

    NONE = 0
    METADATA = 1
    REQUEST = 2
    REQUEST_RESPONSE = 3


WORDS = {
    Level.NONE: "None",
    Level.METADATA: "Metadata",
    Level.REQUEST: "Request",
    Level.REQUEST_RESPONSE: "RequestResponse",
}
_LEVELS = {word: level for level, word in WORDS.items()}


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about a request: the level, the stages that are told, and whether managedFields are."""

    level: Level
    omitted: frozenset[str] = frozenset()
    omit_managed_fields: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in their order: the first that is about a request decides; a request that no rule is about is not recorded."""

    rules: tuple[Mapping[str, Any], ...]
    omitted: frozenset[str] = frozenset()
    omit_managed_fields: bool = False

    def decide(self, wanted: Attributes, user: str, groups: tuple[str, ...]) -> Decision:
        """What the policy says about a request; of secrets and tokens no more than Metadata, whatever it says."""
        for rule in self.rules:
            if _concerns(rule, wanted, user, groups):
                omitted = self.omitted | frozenset(rule.get("omitStages") or ())
                without = bool(rule.get("omitManagedFields", self.omit_managed_fields))
                level = _LEVELS[rule["level"]]
                return Decision(min(level, Level.METADATA) if _is_secret(wanted) else level, omitted, without)
        return Decision(Level.NONE)


_SECRETS = frozenset((("", "secrets"), ("", "serviceaccounts/token"), ("authentication.k8s.io", "tokenreviews")))


def _is_secret(wanted: Attributes) -> bool:
    return not wanted.path and not {(wanted.group, wanted.resource), (wanted.group, wanted.combined)}.isdisjoint(
        _SECRETS
    )


EVERYTHING = Policy(({"level": "Metadata"},))


def policy(raw: Json, about: str) -> Policy:
    """The policy of a file. InvalidInput says which rule is wrong."""
    if not isinstance(raw, dict) or (raw.get("apiVersion"), raw.get("kind")) != ("audit.k8s.io/v1", "Policy"):
        raise InvalidInput("it is no Policy of audit.k8s.io/v1", about=about)
    _known(raw, _POLICY, about)
    rules = raw.get("rules")
    if not isinstance(rules, list) or not rules:
        raise InvalidInput("the policy has no rules", about=about, hint="give at least one: {level: Metadata}")
    for index, rule in enumerate(rules):
        _check(rule, f"{about}: rules[{index}]")
    return Policy(tuple(rules), _stages(raw, about), bool(raw.get("omitManagedFields")))


def _check(rule: Json, about: str) -> None:
    if not isinstance(rule, dict) or rule.get("level") not in _LEVELS:
        raise InvalidInput(f"level is not one of {', '.join(_LEVELS)}", about=about)
    _known(rule, (*_RULE, "omitManagedFields"), about)
    _stages(rule, about)
    for key in ("users", "userGroups", "verbs", "namespaces", "nonResourceURLs"):
        _texts(rule.get(key), f"{about}: {key}")
    resources = rule.get("resources") or []
    if not isinstance(resources, list) or not all(isinstance(one, dict) for one in resources):
        raise InvalidInput("resources is not a list of {group, resources, resourceNames}", about=about)
    for one in resources:
        _known(one, ("group", "resources", "resourceNames"), f"{about}: resources")
        _texts(one.get("resources"), f"{about}: resources")
        _texts(one.get("resourceNames"), f"{about}: resourceNames")
    if rule.get("nonResourceURLs") and (resources or rule.get("namespaces")):
        raise InvalidInput("rules cannot apply to both regular resources and non-resource URLs", about=about)


def _known(value: Mapping[str, Any], keys: tuple[str, ...], about: str) -> None:
    for key in value:
        if key not in keys:
            raise InvalidInput(f'unknown field "{key}"', about=about)


def _stages(value: Mapping[str, Any], about: str) -> frozenset[str]:
    found = value.get("omitStages") or []
    _texts(found, f"{about}: omitStages")
    for stage in found:
        if stage not in STAGES:
            raise InvalidInput(f"omitStages: {stage} is not one of {', '.join(STAGES)}", about=about)
    return frozenset(found)


def _texts(value: Json, about: str) -> None:
    if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise InvalidInput("it is not a list of texts", about=about)


def _concerns(rule: Mapping[str, Any], wanted: Attributes, user: str, groups: tuple[str, ...]) -> bool:
    if rule.get("users") and user not in rule["users"]:
        return False
    if rule.get("userGroups") and not set(rule["userGroups"]) & set(groups):
        return False
    if rule.get("verbs") and wanted.verb not in rule["verbs"]:
        return False
    if rule.get("namespaces") or rule.get("resources"):
        return _resource(rule, wanted)
    if rule.get("nonResourceURLs"):
        return _url(rule["nonResourceURLs"], wanted)
    return True


def _url(urls: list[str], wanted: Attributes) -> bool:
    return bool(wanted.path) and any(
        wanted.path.startswith(url[:-1]) if url.endswith("*") else wanted.path == url for url in urls
    )


def _resource(rule: Mapping[str, Any], wanted: Attributes) -> bool:
    if wanted.path or (rule.get("namespaces") and wanted.namespace not in rule["namespaces"]):
        return False
    return not rule.get("resources") or any(_named(one, wanted) for one in rule["resources"])


def _named(one: Mapping[str, Any], wanted: Attributes) -> bool:
    if (one.get("group") or "") != wanted.group:
        return False
    if not one.get("resources"):
        return True
    if one.get("resourceNames") and wanted.name not in one["resourceNames"]:
        return False
    fitting = {"*", wanted.combined, f"{wanted.resource}/*"}
    if wanted.subresource:
        fitting.add(f"*/{wanted.subresource}")
    return bool(fitting & set(one["resources"]))
