"""Witness: somebody beside the ledger who keeps its signed checkpoints, so that what was signed for cannot be unsaid."""

from typing import Protocol


class Witness(Protocol):
    """Promises.

    * `publish` is durable when it returns and never replaces what was kept before; the same note twice is kept once.
    * `notes` gives every note that was kept, in whatever order; a witness that was never told anything gives none.
    * Failures are KildeErrors; their words hold no credential.
    """

    @property
    def name(self) -> str:
        """How people are told of it."""
        ...

    async def publish(self, note: str, *, size: int) -> None: ...

    async def notes(self) -> list[str]: ...
