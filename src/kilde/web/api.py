"""WebApi: what the HTTP interface needs of the program behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from prometheus_client import CollectorRegistry


class PushVerdict(StrEnum):
    """What became of a webhook."""

    ACCEPTED = "accepted"  # applications are being refreshed
    IGNORED = "ignored"  # understood, but it concerns no application
    REFUSED = "refused"  # the signature or secret does not fit
    NOT_UNDERSTOOD = "not-understood"  # no known sender, or not what that sender sends


@dataclass(frozen=True, slots=True)
class PushOutcome:
    """A webhook's verdict, a clause for people, and the applications it refreshes."""

    verdict: PushVerdict
    message: str = ""
    applications: tuple[str, ...] = ()


class WebApi(Protocol):
    """Promises: no method blocks; `on_push` returns once the refresh is queued, not when it is done."""

    @property
    def registry(self) -> CollectorRegistry:
        """Whose metrics /metrics shows."""
        ...

    def not_ready(self) -> str:
        """Why requests cannot be served yet; "" when they can."""
        ...

    async def on_push(self, headers: Mapping[str, str], body: bytes) -> PushOutcome:
        """Takes a webhook. `headers` by lower-case name; `body` as it was sent, for its signature."""
        ...
