"""cert-manager: certificates, requests, issuers and trust bundles by condition, ACME orders and challenges by state."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing
from kilde.core.health.judging import Judge, When, by_rank, first, ready, said, well

_BAD: Final = frozenset({"invalid", "expired", "errored"})


def _acme(name: str, *, reason_while_waiting: bool) -> Judge:
    def judge(obj: Object) -> Health:
        """RFC 8555's states; the reason, where there is one, goes before our words."""
        status = part(obj, "status")
        state = text(status, "state")
        if not state:
            return progressing(f"Waiting for {name.lower()}")
        words = f"{name} is {state}"
        reason = status.get("reason")
        told = reason if isinstance(reason, str) else words
        if state == "valid":
            return healthy(words)
        return degraded(told) if state in _BAD else progressing(told if reason_while_waiting else words)

    return judge


def request(obj: Object) -> Health:
    """Denied and invalid go before Ready; pending is the one reason to wait."""
    for item in conditions(obj):
        if text(item, "type") in ("Denied", "InvalidRequest") and text(item, "status") == "True":
            return degraded(said(item))
    found = first(obj, "Ready")
    if found is None:
        return progressing("Waiting for certificate request")
    if text(found, "status") == "True":
        return healthy(said(found))
    return progressing(said(found)) if text(found, "reason") == "Pending" else degraded(said(found))


def bundle(obj: Object) -> Health:
    synced = first(obj, "Synced")
    if synced is None:
        return progressing("Waiting for Bundle to be synced")
    if text(synced, "status") == "True":
        return healthy(said(synced, "Bundle is synced"))
    return degraded(said(synced, text(synced, "reason") or "Bundle is not synced"))


KINDS: Final[Mapping[str, Judge]] = {
    "Bundle": bundle,
    "Certificate": by_rank(
        When("Issuing", "True", HealthStatus.PROGRESSING),
        When("Ready", "False", HealthStatus.DEGRADED),
        well("Ready"),
        waiting="Waiting for certificate",
    ),
    "CertificateRequest": request,
    "Challenge": _acme("Challenge", reason_while_waiting=True),
    "ClusterIssuer": ready("Initializing ClusterIssuer"),
    "Issuer": ready("Initializing issuer"),
    "Order": _acme("Order", reason_while_waiting=False),
}
