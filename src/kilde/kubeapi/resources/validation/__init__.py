"""Validation of built-in kinds: `validate_create` and `validate_update` name the causes a real server would name.

Objects are given as they would be stored: types decoded, defaults filled in, names generated, a Job's selector made.
"""

from kilde.core.basics.values import Object
from kilde.core.objects.ref import split_api_version
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.resources.kinds import Catalog, Resource
from kilde.kubeapi.resources.validation.metadata import (
    check_known_finalizers,
    check_metadata,
    check_metadata_update,
)
from kilde.kubeapi.resources.validation.names import NAME_RULES, Rule, dns_subdomain
from kilde.kubeapi.resources.validation.registry import RULES

_BUILTIN = Catalog()


def validate_create(obj: Object) -> list[Cause]:
    """What is wrong with an object of a built-in kind that is created; kinds without rules of their own have metadata's."""
    resource = _resource(obj)
    key = (resource.group, resource.kind)
    causes = list(check_metadata(obj.get("metadata") or {}, namespaced=resource.namespaced, name_rule=_name_rule(key)))
    causes += check_known_finalizers((obj.get("metadata") or {}).get("finalizers") or ())
    rules = RULES.get(key)
    return causes if rules is None else [*causes, *rules.create(obj)]


def validate_update(new: Object, old: Object) -> list[Cause]:
    """What is wrong with an object of a built-in kind that is to take the place of `old`, by a write to the object itself."""
    resource = _resource(new)
    causes = validate_metadata_update(new, old)
    rules = RULES.get((resource.group, resource.kind))
    if rules is None:
        return causes
    return [*causes, *(rules.create(new) if rules.update is None else rules.update(new, old))]


def validate_metadata_update(new: Object, old: Object) -> list[Cause]:
    """What is wrong with new metadata alone: all that a write to a status sub-resource is judged by here."""
    resource = _resource(new)
    metadata, before = new.get("metadata") or {}, old.get("metadata") or {}
    causes = list(check_metadata_update(metadata, before, namespaced=resource.namespaced))
    return [*causes, *check_known_finalizers(metadata.get("finalizers") or ())]


def _name_rule(key: tuple[str, str]) -> Rule:
    return NAME_RULES.get(key, dns_subdomain)


def _resource(obj: Object) -> Resource:
    group, version = split_api_version(str(obj.get("apiVersion", "")))
    found = _BUILTIN.of_kind(group, version, str(obj.get("kind", "")))
    if found is None:
        raise KeyError(f"{obj.get('apiVersion')} {obj.get('kind')}")
    return found
