"""What the real API server says of variations of every kind, ours says too: the whole answer is compared."""

import http.client
import random
from typing import Any

import pytest

from differential.manifests import Manifest, manifests
from differential.normal import differences, normal
from differential.sides import Ask, Pair
from differential.variations import variations

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(3600)]

STRICT = "?dryRun=All&fieldValidation=Strict"
SEED = 20
KINDS = sorted({one.body["kind"] for one in manifests("any")})
# What ours does otherwise on purpose, or not yet: (what was changed, what is said).
KNOWN = (
    ("privileged = true", "disallowed by cluster policy"),  # the real server here runs without --allow-privileged
    (".image = ", "imagePullPolicy"),
    ("dataSource", "dataSource"),
    ("dataSourceRef", "dataSourceRef"),
    ("labels.app", "does not match template"),
    ("labels", "does not match template"),
    ("policies.0 = gone", "policies"),
    ("podFailurePolicy.rules = []", "rules"),
    ("volumeClaimTemplates.0 = twice", "Duplicate"),
    ("trafficDistribution", "trafficDistribution"),
    ("containerResource.name", "containerResource"),
    ("external", "external.target"),
    ("attributes", "map[v1.QualifiedName]"),
    ("capacity", "map[v1.QualifiedName]"),
    ("spec.capacity", 'supported values: \\"storage\\"'),  # an empty map that is quoted
)


def test_an_object_of_every_kind_is_stored_alike(pair: Pair, namespace: str) -> None:
    found: list[str] = []
    for one in manifests(namespace):
        found += _compared(pair, one.kind, Ask("POST", one.path + STRICT, one.body))

    assert not found, "\n".join(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_field_is_judged_alike(pair: Pair, namespace: str, share: float, kind: str) -> None:
    found: list[str] = []
    for one in manifests(namespace, kind):
        dice = random.Random(SEED)
        for variation in variations(one.body, dice, _share(one, share)):
            found += _compared(pair, f"{one.kind} {variation.name}", Ask("POST", one.path + STRICT, variation.body))

    assert not found, "\n".join(found)


def _share(one: Manifest, share: float) -> float:
    """Small objects are tried more thoroughly: there is less to try."""
    return min(1.0, share * (10 if len(str(one.body)) < 1500 else 1))


def _compared(pair: Pair, name: str, ask: Ask) -> list[str]:
    try:
        told = pair.real.ask(ask)
    except http.client.RemoteDisconnected:
        return []  # the real server panics, of a CRD's `schema: {}`
    real, ours = (normal(_without_owners(answer)) for answer in (told, pair.ours.ask(ask)))
    lines = [f"{name}: {line}" for line in differences(real, ours)]
    if real["code"] != ours["code"]:
        lines = [f"{name}: real {real['code']} {_message(real)}, ours {ours['code']} {_message(ours)}"]
    return [] if any(what in name and any(said in line for line in lines) for what, said in KNOWN) else lines


def _message(answer: dict[str, Any]) -> Any:
    body = answer["body"]
    return body.get("message") if isinstance(body, dict) else body


def _without_owners(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without managedFields: they follow from the object, and have their own test."""
    body = answer["body"]
    if isinstance(body, dict) and isinstance(body.get("metadata"), dict):
        body["metadata"].pop("managedFields", None)
    return answer
