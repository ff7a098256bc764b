"""Aside: what takes long to work out is done in a thread while others are served, and kept for the write that needs it, which is run anew.

A write is still one step: the outcome is only used for the very same question, which a write asks again of what is there then.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from kilde.kubeapi.resources.patience import Patience, TooLong
from kilde.kubeapi.webhooks.questions import Memory, Reply, Waits, Work

_T = TypeVar("_T")
_Given = ParamSpec("_Given")
_AT_ONCE = 50_000  # units of cost, some 15 ms
_MOST_KEPT = 64


@dataclass(slots=True)
class Aside:
    """The outcomes that nobody has fetched yet, by what was asked."""

    _kept: dict[bytes, Callable[[], Any]] = field(default_factory=dict)

    def worked_out(self, key: Callable[[], bytes], does: Callable[[Patience], _T], memory: Memory | None = None) -> _T:
        """What `does` gives or raises: at once where that is cheap. Waits. `key` tells the question from all others.

        `does` must not read what changes but through what is safe in a thread. `memory`: that of the write, which may ask several such
        questions, and each again whenever it is run anew.
        """
        kept = self._kept if memory is None else memory.outcomes
        named = key() if kept else b""
        if named in kept:
            outcome: Callable[[], _T] = self._kept.pop(named) if memory is None else kept[named]
            return outcome()
        try:
            return does(Patience(_AT_ONCE))
        except TooLong:
            named = named or key()
        raise Waits([Work(lambda: _outcome(does), lambda reply: self._keep(kept, named, reply))])

    def _keep(self, kept: dict[bytes, Callable[[], Any]], named: bytes, reply: Reply) -> None:
        while kept is self._kept and len(kept) >= _MOST_KEPT:
            kept.pop(next(iter(kept)))
        kept[named] = reply.body


def _outcome(does: Callable[[Patience], _T]) -> Callable[[], _T]:
    try:
        found = does(Patience())
    except Exception as error:  # noqa: BLE001 — it is the write's own, which raises it where it would have been raised
        failed = error

        def fails() -> _T:
            raise failed

        return fails
    return lambda: found


def on_loop(reads: Callable[_Given, _T]) -> Callable[_Given, _T]:
    """A function that is called where it is made, also if a thread calls it: between two steps of the event loop, if there is one."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return reads

    async def called(*given: _Given.args, **named: _Given.kwargs) -> _T:
        return reads(*given, **named)

    def calls(*given: _Given.args, **named: _Given.kwargs) -> _T:
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # a thread has none
            return asyncio.run_coroutine_threadsafe(called(*given, **named), loop).result()
        return reads(*given, **named)

    return calls
