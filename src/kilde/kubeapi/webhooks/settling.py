"""Runs what may have to ask webhooks, or to work something out, until it needs to wait no more."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from kilde.kubeapi.logic import failures
from kilde.kubeapi.webhooks.questions import Asks, Memory, Question, Reply, Waits, Work

T = TypeVar("T")
_MOST_ROUNDS = 200


async def settled(
    caller: Asks, act: Callable[[], T], memory: Memory | None = None, warnings: list[str] | None = None
) -> T:
    """What `act` answers. It is run from its beginning after each wait, so it sees what has changed meanwhile.

    `memory` is what it finds again, `warnings` what it adds to, which is undone before it is run anew.
    """
    before = len(warnings or ())
    for _ in range(_MOST_ROUNDS):
        try:
            return act()
        except Waits as waits:
            replies = await asyncio.gather(*(_answered(caller, question) for question in waits.questions))
            for question, reply in zip(waits.questions, replies, strict=True):
                if question.take is not None:
                    question.take(reply)
                elif memory is not None and isinstance(question, Question):
                    memory.replies[question.key] = reply
            if warnings is not None:
                del warnings[before:]
    raise failures.unexplained("the object changes faster than its webhooks answer")


async def _answered(caller: Asks, question: Question | Work) -> Reply:
    if isinstance(question, Work):
        return Reply(await asyncio.to_thread(question.does))
    return await caller.ask(question)
