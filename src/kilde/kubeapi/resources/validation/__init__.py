"""Validation of built-in kinds: `validate_create` and `validate_update` name the causes a real server would name.

Objects are given as they would be stored: types decoded, defaults filled in, names generated, a Job's selector made.
"""

from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.core.objects.null_bytes import NullBytes
from kilde.core.objects.ref import split_api_version
from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.validation.metadata import (
    check_common,
    check_finalizers,
    check_metadata,
    check_metadata_update,
)
from kilde.kubeapi.resources.validation.names import NAME_RULES, dns_subdomain, path_segment
from kilde.kubeapi.resources.validation.registry import (
    CHANGE_FIRST,
    CREATED_FIRST,
    JUDGED_ANEW,
    METADATA_ANEW_FIRST,
    METADATA_LAST,
    NO_METADATA_RULES,
    ONLY_JUDGED_ANEW,
    RULES,
    Rules,
)
from kilde.kubeapi.resources.validation.security import with_kept_policies

_BUILTIN = Catalog()
# Groups that know no standard finalizers.
_ANY_FINALIZER = frozenset({"admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"})

_FREE_FINALIZERS = frozenset(
    {("coordination.k8s.io", "Lease"), ("node.k8s.io", "RuntimeClass"), ("policy", "PodDisruptionBudget")}
)


def validate_create(obj: Object) -> list[Cause]:
    """What is wrong with an object of a built-in kind that is created; kinds without rules of their own have metadata's."""
    resource = _resource(obj)
    key, metadata = (resource.group, resource.kind), obj.get("metadata") or {}
    rules = RULES.get(key)
    if key in METADATA_LAST and rules is not None:
        return list(rules.create(obj)) or list(
            check_metadata(metadata, namespaced=resource.namespaced, name_rule=path_segment)
        )
    causes = list(
        check_metadata(metadata, namespaced=resource.namespaced, name_rule=NAME_RULES.get(key, dns_subdomain))
    )
    causes.extend(_finalizers(resource, metadata))
    return causes if rules is None else [*causes, *rules.create(obj)]


def validate_update(new: Object, old: Object, subresource: str = "") -> list[Cause]:
    """What is wrong with an object of a built-in kind that is to take the place of `old`.

    A write to a sub-resource is judged by metadata's rules and those for that part alone.
    """
    resource = _resource(new)
    metadata, before, key = new.get("metadata") or {}, old.get("metadata") or {}, (resource.group, resource.kind)
    # A real server judges metadata for all kinds alike, then by most kinds' own rules, and names each cause as often.
    changed = list(check_metadata_update(metadata, before, namespaced=resource.namespaced))
    causes = [*check_common(metadata), *changed]
    anew = 0 if subresource else JUDGED_ANEW.get(key, 0)
    rule = NAME_RULES.get(key, dns_subdomain)
    whole = [
        *(check_metadata(metadata, namespaced=resource.namespaced, name_rule=rule) if anew else ()),
        *(_finalizers(resource, metadata) if anew else ()),
    ] * anew
    own = key not in NO_METADATA_RULES and not (anew and key in ONLY_JUDGED_ANEW)
    update = [*(changed if own else ()), *(_finalizers(resource, metadata) if own else ())]
    made, rest = (with_kept_policies(found, new, old) for found in _of_rules(RULES.get(key), new, old, subresource))
    if anew == 2:
        once = whole[: len(whole) // 2]
        return [*causes, *once, *made, *once, *rest]
    if anew and key in CREATED_FIRST:
        return [*causes, *whole, *made, *update, *rest]
    if anew and key in METADATA_ANEW_FIRST:
        return [*causes, *whole, *update, *made, *rest]
    if key in CHANGE_FIRST and rest:
        anew_from = len(rest) - (0 if subresource else len(list(RULES[key].create(new))))
        return [*causes, *update, *rest[:anew_from], *whole, *rest[anew_from:]]
    return [*causes, *update, *whole, *made, *rest]


def _of_rules(rules: Rules | None, new: Object, old: Object, subresource: str) -> tuple[list[Cause], list[Cause]]:
    """What a kind's own rules find: what is wrong as if it were new, where they begin with that, and the rest."""
    if rules is None:
        return [], []
    if subresource:
        part = rules.parts.get(subresource)
        return [], [] if part is None else list(part(new, old))
    if _body(new) == _body(old) and not any(isinstance(part, NullBytes) for part in new.values()):
        return [], []  # what was right once is right as it stands: writes to metadata alone are the most frequent ones
    found = list(rules.create(new) if rules.update is None else rules.update(new, old))
    made = list(rules.create(new)) if found and rules.update is not None else found
    return (made, found[len(made) :]) if found[: len(made)] == made else ([], found)


def _body(obj: Object) -> Object:
    """What rules for a kind look at."""
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}


def _finalizers(resource: Resource, metadata: Object) -> Iterator[Cause]:
    if resource.group not in _ANY_FINALIZER and (resource.group, resource.kind) not in _FREE_FINALIZERS:
        yield from check_finalizers(metadata)


def _resource(obj: Object) -> Resource:
    group, version = split_api_version(str(obj.get("apiVersion", "")))
    found = _BUILTIN.of_kind(group, version, str(obj.get("kind", "")))
    if found is None:
        raise KeyError(f"{obj.get('apiVersion')} {obj.get('kind')}")
    return found


__all__ = ["METADATA_LAST", "validate_create", "validate_update"]
