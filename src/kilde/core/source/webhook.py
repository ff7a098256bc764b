"""A webhook, from headers and body to the pushes it tells of: bounded, recognised, verified, read."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

import msgspec

from kilde.core.basics.errors import InvalidInput, LimitExceeded
from kilde.core.source.push import Push
from kilde.core.source.senders import SENDERS, Sender

MOST_BYTES = 25 * 1024 * 1024  # what GitHub sends at most; Argo CD's default bound is 50 MB


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a webhook said. `verified`: it proved to know our secret; False when we have none for this sender."""

    sender: str
    event: str
    pushes: tuple[Push, ...]
    verified: bool


def read_webhook(headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str]) -> Delivery:
    """Reads a webhook. `secrets`: the `webhook.*` values of argocd-secret.

    Raises SignatureMismatch before the body is looked at, LimitExceeded, or InvalidInput for an unknown sender or a body that
    is not of its shape. Events that tell of no push give no pushes.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    if len(body) > MOST_BYTES:
        raise LimitExceeded(f"the webhook has more than {MOST_BYTES} bytes")
    for name, sender in SENDERS.items():
        event = sender.event(lowered)
        if event:
            verified = sender.verify(lowered, body, secrets)
            return Delivery(name, event, _pushes(name, sender, event, _json(lowered, body)), verified)
    raise InvalidInput("this webhook is of no sender we know", hint=f"known are {', '.join(SENDERS)}")


def is_pull_request(event: str) -> bool:
    """Whether an event tells of a pull (or merge) request, as the senders name them; Azure DevOps names all alike."""
    word = event.lower().replace("_", "").replace(" ", "").replace("-", "")
    return "pullrequest" in word or "mergerequest" in word or event.startswith("pr:") or event == "git"


def _json(headers: Mapping[str, str], body: bytes) -> bytes:
    """The JSON in the body; GitHub and Gitea can also send it as the field of a form."""
    if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return body
    try:
        fields = parse_qs(body.decode(), strict_parsing=True, max_num_fields=8)
    except ValueError:  # UnicodeDecodeError is one
        raise InvalidInput("the webhook's form cannot be read") from None
    return fields.get("payload", [""])[0].encode()


def _pushes(name: str, sender: Sender, event: str, body: bytes) -> tuple[Push, ...]:
    try:
        return sender.read(event, body)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise InvalidInput(f"the body is not what {name} sends: {str(error)[:200]}") from None
