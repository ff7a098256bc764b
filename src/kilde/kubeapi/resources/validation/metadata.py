"""What metadata must satisfy, on create and on update (apimachinery's ValidateObjectMeta and ValidateObjectMetaUpdate)."""

from collections.abc import Iterator, Mapping, Sequence

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, forbidden, invalid, required, shown, too_long
from kilde.kubeapi.resources.validation.names import Rule, dns_label, dns_subdomain, label_value, qualified_name

_LONGEST_ANNOTATIONS = 256 * 1024
STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_NOT_OWNERS = (("v1", "Event"),)
_IMMUTABLE = "field is immutable"


def check_metadata(
    metadata: Object, *, namespaced: bool, name_rule: Rule = dns_subdomain, at: str = "metadata"
) -> Iterator[Cause]:
    """What is wrong with the metadata of an object that is created (its name generated, its namespace filled in)."""
    generate = metadata.get("generateName") or ""
    if generate:
        # Kubernetes masks a trailing dash: five characters will follow it.
        masked = generate[:-2] + "a" if generate.endswith("-") and len(generate) > 1 else generate
        yield from (invalid(f"{at}.generateName", generate, text) for text in name_rule(masked))
    name = metadata.get("name") or ""
    if name:
        yield from (invalid(f"{at}.name", name, text) for text in name_rule(name))
    else:
        yield required(f"{at}.name", "name or generateName is required")
    namespace = metadata.get("namespace") or ""
    if namespaced:
        if not namespace:
            yield required(f"{at}.namespace")
        else:
            yield from (invalid(f"{at}.namespace", namespace, text) for text in dns_label(namespace))
    elif namespace:
        yield forbidden(f"{at}.namespace", "not allowed on this type")
    yield from check_common(metadata, at)


def check_common(metadata: Object, at: str = "metadata") -> Iterator[Cause]:
    """What is wrong with metadata whoever writes it, and whenever."""
    generation = metadata.get("generation") or 0
    if generation < 0:
        yield invalid(f"{at}.generation", generation, "must be greater than or equal to 0")
    yield from check_labels(metadata.get("labels"), f"{at}.labels")
    yield from check_annotations(metadata.get("annotations"), f"{at}.annotations")
    yield from _owners(metadata.get("ownerReferences") or (), f"{at}.ownerReferences")
    yield from _finalizers(metadata.get("finalizers") or (), f"{at}.finalizers")


def check_finalizers(metadata: Object, at: str = "metadata") -> Iterator[Cause]:
    """What is wrong with the finalizers of a built-in kind besides: each is a standard one or has a domain and a slash."""
    for index, name in enumerate(metadata.get("finalizers") or ()):
        yield from _standard(name, f"{at}.finalizers[{index}]")


def _standard(name: str, at: str) -> Iterator[Cause]:
    if "/" not in name and name not in STANDARD_FINALIZERS:
        yield invalid(at, name, "name is neither a standard finalizer name nor is it fully qualified")


def check_finalizer(name: str, at: str) -> Iterator[Cause]:
    """What is wrong with the name of a finalizer that is not in metadata."""
    yield from (invalid(at, name, text) for text in qualified_name(name))
    yield from _standard(name, at)


def check_labels(labels: Json, at: str) -> Iterator[Cause]:
    """What is wrong with labels; the field is the map's, the key is in the value."""
    for key, value in (labels or {}).items():
        for text in qualified_name(key):
            yield invalid(at, key, text)
        for text in label_value(value):
            yield invalid(at, value, text)


def check_annotations(annotations: Json, at: str) -> Iterator[Cause]:
    """What is wrong with annotations: their keys, and their size altogether."""
    found: Mapping[str, str] = annotations or {}
    for key in sorted(found):
        yield from (invalid(at, key, text) for text in qualified_name(key.lower()))
    if sum(len(key.encode()) + len(value.encode()) for key, value in found.items()) > _LONGEST_ANNOTATIONS:
        yield too_long(at, _LONGEST_ANNOTATIONS)


def _owners(owners: Sequence[Object], at: str) -> Iterator[Cause]:
    controllers: list[Object] = []
    for owner in owners:
        api_version = owner.get("apiVersion") or ""
        if not api_version.rpartition("/")[2]:
            yield invalid(f"{at}.apiVersion", api_version, "version must not be empty")
        for key in ("kind", "name", "uid"):
            if not owner.get(key):
                yield invalid(f"{at}.{key}", owner.get(key) or "", "must not be empty")
        if (api_version, owner.get("kind")) in _NOT_OWNERS:
            group, _, version = api_version.rpartition("/")
            detail = f"{group}/{version}, Kind={owner.get('kind')} is disallowed from being an owner"
            yield invalid(at, _owner_dump(owner), detail)
        if owner.get("controller"):
            controllers.append(owner)
    if len(controllers) > 1:
        names, *rest = (f"{one.get('kind') or ''}/{one.get('name') or ''}" for one in controllers)
        for other in rest:
            words = 'Only one reference can have Controller set to true. Found "true" in references for'
            yield invalid(at, [_owner_dump(owner) for owner in owners], f"{words} {names} and {other}")


def _owner_dump(owner: Object) -> Object:
    """An owner reference as Go encodes it."""
    dump = Struct({key: owner.get(key) or "" for key in ("apiVersion", "kind", "name", "uid")})
    dump.update({key: owner[key] for key in ("controller", "blockOwnerDeletion") if key in owner})
    return dump


def _finalizers(finalizers: Sequence[str], at: str) -> Iterator[Cause]:
    for name in finalizers:
        yield from (invalid(at, name, text) for text in qualified_name(name))
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        yield invalid(at, list(finalizers), "finalizer orphan and foregroundDeletion cannot be both set")


def check_metadata_update(
    metadata: Object, old: Object, *, namespaced: bool, name_rule: Rule = dns_subdomain, at: str = "metadata"
) -> Iterator[Cause]:
    """What is wrong with metadata that is to take the place of `old`."""
    if old.get("deletionTimestamp"):
        added = [name for name in metadata.get("finalizers") or () if name not in (old.get("finalizers") or ())]
        if added:
            words = ", ".join(shown(name) for name in sorted(added))
            detail = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{words}}}"
            yield forbidden(f"{at}.finalizers", detail)
    for key in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if metadata.get(key) != old.get(key):
            yield invalid(f"{at}.{key}", metadata.get(key), _IMMUTABLE)
    yield from check_labels(metadata.get("labels"), f"{at}.labels")
    yield from check_annotations(metadata.get("annotations"), f"{at}.annotations")
    yield from _owners(metadata.get("ownerReferences") or (), f"{at}.ownerReferences")
