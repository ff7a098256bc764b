"""Runs a write until it needs to ask no webhook any more."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.webhooks.questions import Asks, Waits

T = TypeVar("T")
_MOST_ROUNDS = 200


async def settled(caller: Asks, call: Call, write: Callable[[], T]) -> T:
    """What the write answers. It is run from its beginning after each wait, so it sees what has changed meanwhile."""
    before = len(call.warnings)
    for _ in range(_MOST_ROUNDS):
        try:
            return write()
        except Waits as waits:
            replies = await asyncio.gather(*map(caller.ask, waits.questions))
            call.memory.replies.update(zip((each.key for each in waits.questions), replies, strict=True))
            del call.warnings[before:]
    raise failures.unexplained("the object changes faster than its admission webhooks answer")
