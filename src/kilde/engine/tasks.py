"""Tasks: the only place that makes them. Every task has a name and an owner; one that ends by a fault ends the whole."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any


class TaskOwner:
    """Owns background tasks. Use as `async with`: leaving the block cancels and awaits all of them.

    A task that raises wakes `failed`, with which the owner of the program ends it.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self.failed: asyncio.Event = asyncio.Event()
        self.fault: BaseException | None = None

    def start(self, name: str, job: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(job, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fault = self.fault or error
            self.failed.set()

    async def __aenter__(self) -> "TaskOwner":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Cancels every task and waits for its end."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*list(self._tasks), return_exceptions=True)
