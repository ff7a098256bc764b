"""VaultSecret: an object whose values are references into Vault; read, made into a Secret, and its status."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.moment import rfc3339
from kilde.core.basics.reading import duration
from kilde.core.basics.values import Object
from kilde.core.secrets import documents
from kilde.core.secrets.opening import Render, assembled
from kilde.core.secrets.vault.place import Place
from kilde.core.secrets.vault.reference import Reference, read_reference

GROUP, VERSION, KIND = "kilde.dev", "v1alpha1", "VaultSecret"
API_VERSION = f"{GROUP}/{VERSION}"
READY = "Ready"
RESOLVED = "Resolved"
_EVERY = 3600.0  # seconds between two looks, where the object does not say
LEAST = 10.0
_MOST_ITEMS = 1000
_MOST_ENTRIES = 50  # of one object: each is a request


@dataclass(frozen=True, slots=True)
class VaultSecret:
    """A typed VaultSecret. `every`: seconds between two looks; 0: it is looked at only when it changes."""

    source: Object = field(repr=False)
    references: Mapping[str, Reference]
    every: float

    @property
    def entries(self) -> tuple[tuple[Place, int], ...]:
        """What has to be read: each entry and version once."""
        return tuple(dict.fromkeys((each.place, each.version) for each in self.references.values()))


def read_vault_secret(obj: Object, mounts: Iterable[str] = (), *, least: float = LEAST) -> VaultSecret:
    """Of an object as the API server gives it. InvalidInput tells of the first thing that is wrong."""
    metadata = documents.metadata_of(obj, about=KIND)
    about = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
    documents.expect(obj, KIND, API_VERSION, about=about)
    spec = documents.typed(obj.get("spec") or {}, dict, "spec", about)
    items = documents.text_map(spec.get("data"), "spec.data", about)
    if not items or len(items) > _MOST_ITEMS:
        raise InvalidInput(f"must have 1 to {_MOST_ITEMS} items", about=f"{about}: spec.data")
    references = {item: read_reference(text, mounts, about=f"spec.data.{item}") for item, text in items.items()}
    every = _seconds(spec.get("refreshInterval"), about, least)
    template = documents.template_of(spec, about=about)
    source: Object = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": {"template": template}}
    found = VaultSecret(source, references, every)
    if len(found.entries) > _MOST_ENTRIES:
        raise InvalidInput(f"names more than {_MOST_ENTRIES} entries of Vault", about=f"{about}: spec.data")
    return found


def _seconds(value: Any, about: str, least: float) -> float:
    if value is None:
        return _EVERY
    text = documents.typed(value, str, "spec.refreshInterval", about)
    seconds = duration(text)
    if seconds is None or seconds < 0:
        raise InvalidInput(f"'{text[:40]}' is not a duration (write 90s, 5m or 1h)", about="spec.refreshInterval")
    if 0 < seconds < least:
        raise InvalidInput(f"must be at least {least:g}s, or 0 for never", about="spec.refreshInterval")
    return seconds


def secret_of(found: VaultSecret, values: Mapping[str, bytes], render: Render) -> Object:
    """The Secret, of the values by item. DoesNotOpen for a template that fails."""
    return assembled(found.source, values, render)


def value_of(data: Mapping[str, Any], reference: Reference) -> bytes:
    """One value of an entry: a text as it is, anything else as compact JSON. InvalidInput where there is no such key."""
    if reference.key not in data:
        raise InvalidInput(f"has no key '{reference.key}'", about=str(reference.place))
    value = data[reference.key]
    return documents.encoded(value) if isinstance(value, str) else msgspec.json.encode(value)


def versions_of(obj: Object) -> dict[str, int]:
    """What ran last, by the status: entry → version. Pinned ones are named with their version, as `path@3`."""
    found = (obj.get("status") or {}).get("versions")
    entries = found if isinstance(found, list) else []
    return {
        str(each.get("path")): int(each["version"])
        for each in entries
        if isinstance(each, dict) and isinstance(each.get("version"), int)
    }


def condition_of(obj: Object) -> Object:
    """The Ready condition as it stands; empty where there is none."""
    found = (obj.get("status") or {}).get("conditions") or ()
    return next((each for each in found if isinstance(each, dict) and each.get("type") == READY), {})


def status_after(
    obj: Object, *, reason: str, problem: str, versions: Mapping[str, int] | None, now: float
) -> Object | None:
    """The status to write; None if the one that is there says the same. `versions` None: as they were, the Secret is the last good one."""
    before, kept = condition_of(obj), versions_of(obj)
    status, generation = ("False" if problem else "True"), obj["metadata"].get("generation", 0)
    seen = (obj.get("status") or {}).get("observedGeneration", 0)
    said = (before.get("status"), before.get("reason"), before.get("message") or "", seen)
    if said == (status, reason, problem, generation) and versions in (None, kept):
        return None
    moment = rfc3339(now)
    since = before.get("lastTransitionTime") if before.get("status") == status else None
    condition = {
        "type": READY,
        "status": status,
        "reason": reason,
        "message": problem,
        "lastTransitionTime": since or moment,
    }
    condition["lastUpdateTime"] = moment
    listed = [{"path": path, "version": version} for path, version in sorted((versions or kept).items())]
    return {"conditions": [condition], "observedGeneration": generation, "versions": listed}
