"""The loop that drives the controllers: watch → cache → keys → steps → writes, and back by what the writes answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.cache import Cache, Change, Seen
from kilde.kubeapi.controllers.clock import Clock, VirtualClock
from kilde.kubeapi.controllers.executor import Executor, Outcome
from kilde.kubeapi.controllers.queue import Queue, Timers
from kilde.kubeapi.controllers.rules import RULES
from kilde.kubeapi.controllers.steps import Controller, Key, Moment, Step, Trigger, earliest
from kilde.kubeapi.interface import Api, ApiError

_log = structlog.get_logger("kilde.kubeapi.controllers")
_HALVES = 4  # a step has at most so many `then`s
_TICK = 1e-6  # the least that time is moved
_CALM, _RESTLESS = 8, 20_000  # turns of the event loop: so many without news are rest; so many in all are enough
DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


class Loop:
    """Runs controllers over one API. All state is here: the cache, a queue for each controller, and the timers."""

    def __init__(self, api: Api, controllers: Sequence[Controller], clock: Clock) -> None:
        self._api, self._clock = api, clock
        self._controllers = controllers
        self.cache = Cache()
        self.timers = Timers(clock)
        self._queues = {controller.name: Queue() for controller in controllers}
        self._failures: dict[tuple[str, Key], int] = {}
        self._memos: dict[tuple[str, Key], Any] = {}
        self._executor = Executor(api, self.cache, clock, self.changed)
        self._defined, self._changes = asyncio.Event(), 0
        self._woken_by: dict[str, list[tuple[Queue, Trigger]]] = {}
        for controller in controllers:
            for resource, trigger in controller.triggers.items():
                self._woken_by.setdefault(resource, []).append((self._queues[controller.name], trigger))

    def jobs(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """The coroutines to run for as long as the server lives, by name."""
        jobs: dict[str, Callable[[], Awaitable[None]]] = {"watch": self.watch, "timers": self.timers.run}
        if RULES in self._woken_by:
            jobs["watch-rules"] = self.watch_rules
        for controller in self._controllers:
            for number in range(controller.workers):
                jobs[f"{controller.name}-{number}"] = self._worker(controller)
        return jobs

    @property
    def idle(self) -> bool:
        """Nothing is queued or in work (timers may be set)."""
        return all(queue.idle for queue in self._queues.values())

    async def watch(self) -> None:
        """Keeps the cache as the API tells; begins anew where the stream ends."""
        resources = sorted({*self._woken_by, *([DEFINITIONS] if RULES in self._woken_by else [])} - {RULES})
        while True:
            try:
                await self._follow(resources)
            except ApiError as error:
                _log.warning("the controllers' watch ended", reason=error.reason, message=error.message)
                await self._clock.wait(asyncio.Event(), self._clock.now() + 1.0)

    async def watch_rules(self) -> None:
        """The same for the rules of a simulation, whose kind need not be served: looks again when a definition changes."""
        while True:
            self._defined.clear()
            try:
                await self._follow([RULES])
            except ApiError:
                await self._defined.wait()

    async def _follow(self, resources: Sequence[str]) -> None:
        await self._list(resources)
        async for event in self._api.watch(resources):
            change = self.cache.take(event.resource, event.type, event.object)
            if change is not None:
                self.changed(change)

    async def advance(self, clock: VirtualClock, seconds: float, *, patience: float = 30.0) -> None:
        """Moves the time from one moment that something is due to the next, and lets it happen, until so much has passed.

        One outcome, however long it is. After `patience` seconds of the machine's it stops where it is.
        """
        end, last = clock.now() + seconds, time.monotonic() + patience
        await self.settle()
        while (left := end - clock.now()) > 0 and time.monotonic() < last:
            due = self.timers.next
            clock.advance(left if due is None else min(left, max(due - clock.now(), _TICK)))
            self.timers.fire()
            await self.settle()

    async def settle(self) -> None:
        """Returns when nothing is left to do at this moment; gives up on a cluster that is never at rest."""
        calm, before = 0, -1
        for _ in range(_RESTLESS):
            await asyncio.sleep(0)
            calm = calm + 1 if self.idle and before == self._changes else 0
            before = self._changes
            if calm > _CALM:
                return

    async def _list(self, resources: Iterable[str]) -> None:
        """Knows everything before anybody is woken: half a picture would look like things that are missing."""
        changes: list[Change] = []
        for resource in resources:
            present = await self._api.list(resource)
            changes += self.cache.keep_only(resource, present)
            changes += filter(None, (self.cache.take(resource, Seen.ADDED, body) for body in present))
        for change in changes:
            self.changed(change)

    def changed(self, change: Change) -> None:
        """Wakes the controllers that care for a change."""
        self._changes += 1
        if change.resource == DEFINITIONS:
            self._defined.set()
        for queue, trigger in self._woken_by.get(change.resource, ()):
            for obj in (change.old, change.new):
                if obj is not None:
                    self._wake(queue, trigger, obj, change.resource)

    def _wake(self, queue: Queue, trigger: Trigger, obj: Object, resource: str) -> None:
        try:
            for key in trigger(obj, self.cache):
                queue.add(key)
        except Exception:  # noqa: BLE001 — one odd object must not end the watch for all
            _log.exception("a change could not be read", resource=resource, name=obj["metadata"]["name"])

    def _worker(self, controller: Controller) -> Callable[[], Awaitable[None]]:
        queue = self._queues[controller.name]

        async def work() -> None:
            while True:
                key = await queue.take()
                try:
                    await self._attend(controller, key)
                finally:
                    queue.done(key)

        return work

    async def _attend(self, controller: Controller, key: Key) -> None:
        """One step of one key; a refusal or a fault brings it back after a while."""
        name = (controller.name, key)
        try:
            wake, again = await self._step(controller, key)
        except Exception:  # noqa: BLE001 — one broken object must not stop the others
            _log.exception("a controller failed", controller=controller.name, namespace=key.namespace, name=key.name)
            wake, again = None, True
        if again:
            failures = self._failures[name] = self._failures.get(name, 0) + 1
            retry = self._clock.now() + controller.retry.delay(failures, dice=self._clock.dice())
            wake = earliest(wake, retry)
        else:
            self._failures.pop(name, None)
        queue = self._queues[controller.name]
        self.timers.set(name, wake, lambda: queue.add(key))

    async def _step(self, controller: Controller, key: Key) -> tuple[float | None, bool]:
        """(when to look again, whether something was refused)."""
        name = (controller.name, key)
        step: Step = controller.reduce(key, self.cache, self._moment(name))
        self._keep(name, step.memo)
        wakes, again = [step.wake], False
        for _ in range(_HALVES):
            outcome: Outcome = await self._executor.run(step.writes, controller)
            again = again or outcome.again
            if step.then is None:
                break
            step = step.then(self.cache, self._moment(name), outcome.refusals)
            wakes.append(step.wake)
        return earliest(*wakes), again

    def _moment(self, name: tuple[str, Key]) -> Moment:
        return Moment(self._clock.now(), self._clock.dice(), self._memos.get(name))

    def _keep(self, name: tuple[str, Key], memo: Any) -> None:
        if memo is None:
            self._memos.pop(name, None)
        else:
            self._memos[name] = memo
