"""A work queue with timers: each key once, never twice at the same time, later ones when their moment has come."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable

from kilde.kubeapi.controllers.clock import Clock
from kilde.kubeapi.controllers.steps import Key


class Queue:
    """Keys that wait for one controller. A key that is added while it is worked on comes again afterwards."""

    def __init__(self) -> None:
        self._waiting: deque[Key] = deque()
        self._dirty: set[Key] = set()
        self._busy: set[Key] = set()
        self._filled = asyncio.Event()

    def add(self, key: Key) -> None:
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._busy:
            self._waiting.append(key)
            self._filled.set()

    async def take(self) -> Key:
        """The next key; `done` must follow."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        key = self._waiting.popleft()
        self._dirty.discard(key)
        self._busy.add(key)
        return key

    def done(self, key: Key) -> None:
        self._busy.discard(key)
        if key in self._dirty:
            self._waiting.append(key)
            self._filled.set()

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._busy


class Timers:
    """The moments at which keys are to be looked at again; one moment for each name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, tuple[str, Key]]] = []
        self._live: dict[tuple[str, Key], tuple[float, Callable[[], None]]] = {}
        self._changed = asyncio.Event()
        self._serial = 0

    def set(self, name: tuple[str, Key], moment: float | None, act: Callable[[], None]) -> None:
        """`act` is called once at `moment`; it replaces what was set before under that name. None: nothing more to come."""
        if moment is None:
            self._live.pop(name, None)
            return
        self._live[name] = (moment, act)
        self._serial += 1
        heapq.heappush(self._heap, (moment, self._serial, name))
        if self._heap[0][2] == name:
            self._changed.set()

    @property
    def next(self) -> float | None:
        """The earliest moment set; None if there is none."""
        while self._heap:
            moment, _, name = self._heap[0]
            live = self._live.get(name)
            if live is not None and live[0] == moment:
                return moment
            heapq.heappop(self._heap)
        return None

    async def run(self) -> None:
        """Calls what is due, for ever."""
        while True:
            self._changed.clear()
            self.fire()
            await self._clock.wait(self._changed, self.next)

    def fire(self) -> None:
        """Calls what is due now."""
        while (moment := self.next) is not None and moment <= self._clock.now():
            name = heapq.heappop(self._heap)[2]
            _, act = self._live.pop(name)
            act()
