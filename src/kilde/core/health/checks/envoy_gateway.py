"""Envoy Gateway: policies by what each gateway above them says, backends by Accepted."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, parts, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, first, is_of_another, said


def _policy(kind: str) -> Judge:
    def judge(obj: Object) -> Health:
        """Gateways that speak of another generation do not count."""
        found = [parts(one, "conditions") for one in parts(part(obj, "status"), "ancestors")]
        newest = [told for told in found if told and not any(is_of_another(obj, item) for item in told)]
        for told in newest:
            for item in told:
                if text(item, "type") == "Accepted" and text(item, "status") == "False":
                    return degraded(said(item))
        return healthy(f"{kind} is healthy") if newest else progressing(f"Waiting for {kind} status")

    return judge


def backend(obj: Object) -> Health:
    accepted = first(obj, "Accepted")
    if accepted is None:
        return progressing("Waiting for Backend status")
    if is_of_another(obj, accepted):
        return progressing("Waiting for Backend status to be updated")
    return healthy(said(accepted)) if text(accepted, "status") == "True" else degraded(said(accepted))


_POLICIES: Final = (
    "BackendTrafficPolicy", "ClientTrafficPolicy", "EnvoyExtensionPolicy", "EnvoyPatchPolicy", "SecurityPolicy",
)  # fmt: skip
KINDS: Final[Mapping[str, Judge]] = {"Backend": backend, **{kind: _policy(kind) for kind in _POLICIES}}
