"""Hook: one webhook of a configuration: whether it is about a request, and what it is sent."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kilde.core.basics.values import Object, canonical
from kilde.kubeapi.logic import failures
from kilde.kubeapi.resources import policies
from kilde.kubeapi.webhooks.clients import Locate, authority_of, target_of
from kilde.kubeapi.webhooks.questions import Question

_DEFAULT_SECONDS = 10
Holds = Callable[[policies.Request], tuple[bool, str]]
_HARMLESS = ("None", "NoneOnDryRun")


@dataclass(frozen=True)
class Hook:
    """`spec` is the webhook's own part of a configuration of that uid."""

    uid: str
    spec: Object

    @property
    def name(self) -> str:
        return str(self.spec.get("name") or "")

    @property
    def ignores_failure(self) -> bool:
        return self.spec.get("failurePolicy") == "Ignore"

    def concerns(self, request: policies.Request, holds: Holds) -> policies.Request | None:
        """The request as it is asked about it; None if it is not. `holds` tells what becomes of its match conditions.

        ApiError 403 where a match condition fails and so must the request, 400 on a dry run it cannot bear.
        """
        resource = policies.is_about(self.spec, request)
        if resource is None:
            return None
        request = request.shown_as(resource)
        wanted, problem = holds(request) if self.spec.get("matchConditions") else (True, "")
        if problem:
            if self.ignores_failure:
                return None
            raise failures.forbidden(_about(request), problem)
        if wanted and request.dry_run and self.spec.get("sideEffects") not in _HARMLESS:
            raise failures.bad_request(f"admission webhook {failures.quoted(self.name)} does not support dry run")
        return request if wanted else None

    def question(self, request: policies.Request, locate: Locate, round_: int = 0) -> Question:
        """What it is asked about a request."""
        seconds = int(self.spec.get("timeoutSeconds") or _DEFAULT_SECONDS)
        client = self.spec.get("clientConfig") or {}
        target, problem = target_of(client, locate, seconds)
        versions = self.spec.get("admissionReviewVersions") or ["v1"]
        version = next((each for each in versions if each in ("v1", "v1beta1")), "v1")
        asked = _asked(request)
        digest = hashlib.sha256(canonical([self.uid, self.name, round_, asked])).hexdigest()
        uid = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
        review = {
            "kind": "AdmissionReview",
            "apiVersion": f"admission.k8s.io/{version}",
            "request": {"uid": uid, **asked},
        }
        return Question(digest, target, authority_of(client), review, seconds, problem)


def of_configurations(configurations: Iterator[Object]) -> list[Hook]:
    """The webhooks of configurations, in the order in which they are asked."""
    named = sorted(configurations, key=lambda each: str(each["metadata"]["name"]))
    return [Hook(str(each["metadata"]["uid"]), spec) for each in named for spec in each.get("webhooks") or ()]


def _about(request: policies.Request) -> failures.Named:
    return failures.Named(request.resource.group, request.resource.plural, request.name)


def _asked(request: policies.Request) -> Object:
    """The `request` of an AdmissionReview: empty names are left out, as Go's encoder does."""
    told = request.as_variable
    told["userInfo"] = {key: value for key, value in told["userInfo"].items() if value}
    kept = {key: value for key, value in told.items() if value not in ("", None) or key in ("operation", "dryRun")}
    found: Object = {**kept, "object": request.object, "oldObject": request.old, "dryRun": request.dry_run}
    copied: Object = json.loads(json.dumps(found))
    return copied
