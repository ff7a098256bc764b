"""Restarts: which Secrets a workload uses, and the annotations that begin a new rollout when one of them holds something else.

The digest is keyed (HMAC-SHA-256 with a key that lies in a Secret): who reads a Deployment cannot try values against it.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.values import Object, canonical
from kilde.core.secrets.scope import is_true

RESTART = "kilde.dev/restart-on-secret-change"
SECRETS = (
    "kilde.dev/secrets"  # on the workload: the digest it runs with; on its pod template: the one that restarted it
)
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


@dataclass(frozen=True, slots=True)
class Use:
    """A Secret that a pod uses; it may be missing where every use of it says so."""

    name: str
    optional: bool


@dataclass(frozen=True, slots=True)
class Workload:
    """What is kept of a workload that wants restarts. `seen` and `begun`: the digests on it and on its pod template, "" without."""

    uid: str
    uses: tuple[Use, ...]
    seen: str
    begun: str


def workload(body: Object) -> Workload | None:
    """A workload that asks for restarts; None for another. What has another shape than Kubernetes' is passed over."""
    metadata = _map(body.get("metadata"))
    annotations = _map(metadata.get("annotations"))
    if not is_true(annotations, RESTART):
        return None
    template = _map(_map(body.get("spec")).get("template"))
    begun = _map(_map(template.get("metadata")).get("annotations")).get(SECRETS)
    uses = uses_of(_map(template.get("spec")))
    return Workload(str(metadata.get("uid", "")), uses, str(annotations.get(SECRETS) or ""), str(begun or ""))


def uses_of(pod: Object) -> tuple[Use, ...]:
    """The Secrets of a pod's spec, by name: environment, volumes and projected volumes. Pull secrets need no restart."""
    found: dict[str, bool] = {}
    for name, optional in _references(pod):
        if name:
            found[name] = found.get(name, True) and optional
    return tuple(Use(name, found[name]) for name in sorted(found))


def _references(pod: Object) -> Iterator[tuple[str, bool]]:
    for container in (each for kind in _CONTAINERS for each in _list(pod.get(kind))):
        for source in _list(container.get("envFrom")):
            yield _reference(source.get("secretRef"), "name")
        for variable in _list(container.get("env")):
            yield _reference(_map(variable.get("valueFrom")).get("secretKeyRef"), "name")
    for volume in _list(pod.get("volumes")):
        yield _reference(volume.get("secret"), "secretName")
        for source in _list(_map(volume.get("projected")).get("sources")):
            yield _reference(source.get("secret"), "name")


def _reference(value: Any, field: str) -> tuple[str, bool]:
    found = _map(value)
    return str(found.get(field) or ""), found.get("optional") is True


def print_of(key: bytes, secret: Object) -> bytes:
    """A keyed hash of what a Secret holds; its metadata do not count."""
    return hmac.digest(key, canonical(_map(secret.get("data"))), hashlib.sha256)


def digest(key: bytes, uses: tuple[Use, ...], prints: Mapping[str, bytes]) -> str:
    """The digest of all Secrets that are used; "" while one is missing that has to be there. `prints`: by the Secret's name."""
    if any(use.name not in prints and not use.optional for use in uses):
        return ""
    held = [[use.name, prints[use.name].hex() if use.name in prints else None] for use in uses]
    return hmac.digest(key, canonical(held), hashlib.sha256).hex()[:32]


def stamped(identity: Object, found: Workload, now: str) -> Object | None:
    """What to apply so that a workload runs with the digest `now`; None where it does.

    `identity`: apiVersion, kind, name and namespace. At first sight the digest is only put down: turning it on restarts nothing.
    """
    if not now or found.seen == now or not found.uses:
        return None
    begun = now if found.seen else found.begun
    metadata = {**identity["metadata"], "uid": found.uid, "annotations": {SECRETS: now}}
    body: Object = {**identity, "metadata": metadata}
    if begun:  # of an apply that leaves it out, the server would take it away
        body["spec"] = {"template": {"metadata": {"annotations": {SECRETS: begun}}}}
    return body


def _map(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Object]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
