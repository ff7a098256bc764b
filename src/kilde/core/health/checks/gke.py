"""GKE's ManagedCertificate: Active, unless a domain of it failed."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, parts, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge


def managed_certificate(obj: Object) -> Health:
    status = part(obj, "status")
    if any(text(domain, "status") == "FailedNotVisible" for domain in parts(status, "domainStatus")):
        return degraded("At least one certificate has failed to be provisioned")
    if text(status, "certificateStatus") == "Active":
        return healthy("All certificates are active")
    return progressing("At least one certificate is still being provisioned")


KINDS: Final[Mapping[str, Judge]] = {"ManagedCertificate": managed_certificate}
