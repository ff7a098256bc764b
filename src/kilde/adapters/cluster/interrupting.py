"""Interrupting: no call waits for an answer once somebody has found out that there will be none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kilde.core.basics.errors import ClusterError


class InFlight:
    """The calls that wait for an answer."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Timeout] = set()
        self._why = ""

    @asynccontextmanager
    async def call(self, about: str) -> AsyncIterator[None]:
        """Around one call. Raises ClusterError when it is interrupted, or was before."""
        if self._why:
            raise ClusterError(self._why, about=about, reason="Interrupted")
        try:
            async with asyncio.timeout(None) as scope:
                self._waiting.add(scope)
                try:
                    yield
                finally:
                    self._waiting.discard(scope)
        except TimeoutError:
            if not scope.expired():
                raise
            raise ClusterError(self._why, about=about, reason="Interrupted") from None

    def interrupt(self, why: str) -> None:
        """Ends all of them, and those to come until it is called with ""."""
        self._why = why
        if not why:
            return
        now = asyncio.get_running_loop().time()
        for scope in list(self._waiting):
            scope.reschedule(now)
