"""FakeWeb: answers that a test wrote down, by method and address; everything that was asked is kept."""

from collections.abc import Mapping
from typing import Any

import msgspec

from kilde.core.sets.failures import GeneratorFailed
from kilde.core.sets.forges.forge import bare
from kilde.ports.web import Answer, Request


class FakeWeb:
    """Keeps the promises of ports.web. An address that nobody wrote down answers 404."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], Answer] = {}
        self.down = ""
        self.asked: list[Request] = []

    def answers(
        self, url: str, body: Any, *, status: int = 200, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> None:
        """From now on this address (with its query) answers so; `body` is sent as JSON."""
        self._answers[method, url] = Answer(status=status, headers=dict(headers or {}), body=msgspec.json.encode(body))

    async def request(self, request: Request) -> Answer:
        self.asked.append(request)
        if self.down:
            raise GeneratorFailed(self.down, about=bare(request.url))
        return self._answers.get((request.method, request.url), Answer(status=404))

    async def close(self) -> None:
        """Nothing is open."""
