"""The executor carries out what a step decided, one write after the other, and tells the cache what came of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import structlog

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.cache import Cache, Change, Seen
from kilde.kubeapi.controllers.clock import Clock
from kilde.kubeapi.controllers.events import Recorder, Told
from kilde.kubeapi.controllers.metadata import deleting, name_of, namespace_of
from kilde.kubeapi.controllers.steps import (
    Apply,
    Bind,
    Controller,
    Create,
    Delete,
    Emit,
    Patch,
    Refusal,
    Refusals,
    Update,
    Write,
)
from kilde.kubeapi.interface import Api, ApiError

_log = structlog.get_logger("kilde.kubeapi.controllers")


class Outcome(NamedTuple):
    """What came of a step's writes; `again`: the step has to be tried again later."""

    refusals: Refusals
    again: bool


class Executor:
    """Writes by the API, as the field manager of the controller whose step it is."""

    def __init__(self, api: Api, cache: Cache, clock: Clock, changed: Callable[[Change], None]) -> None:
        self._api, self._cache, self._clock, self._changed = api, cache, clock, changed
        self._recorder = Recorder()

    async def run(self, writes: tuple[Write, ...], controller: Controller) -> Outcome:
        """Carries out the writes in order. A refused create ends the creates; a stale update ends the step."""
        refusals: list[Refusal] = []
        again = closed = False
        for write in writes:
            if refusals and isinstance(write, Create):
                continue
            try:
                await self._write(write, controller.manager)
            except ApiError as error:
                if _is_moot(write, error):
                    closed = closed or _is_closing(error)
                    if closed:
                        break
                    continue
                again = True
                if error.reason == "Conflict":
                    break
                refusals.append(Refusal(write, error.message))
        return Outcome(tuple(refusals), again)

    async def _write(self, write: Write, manager: str) -> None:
        match write:
            case Create(resource, body, told):
                made = await self._api.create(resource, namespace_of(body), body, manager=manager)
                self._saw(resource, made)
                await self._tell(told, manager, name_of(made))
            case Update(resource, body, subresource):
                self._saw(resource, await self._api.update(resource, body, manager=manager, subresource=subresource))
            case Apply(resource, body, subresource):
                made = await self._api.apply(resource, body, manager=manager, force=True, subresource=subresource)
                self._saw(resource, made)
            case Patch(resource, namespace, name, change):
                self._saw(resource, await self._api.patch(resource, namespace, name, change, manager=manager))
            case Delete():
                await self._delete(write, manager)
            case Bind():
                await self._bind(write, manager)
            case Emit():
                await self._tell(write, manager)

    def _saw(self, resource: str, obj: Object) -> None:
        """Knows at once what a write has made of an object, which may be its end: nothing holds it any longer."""
        gone = deleting(obj) and not (
            obj["metadata"].get("finalizers")
            or obj["metadata"].get("deletionGracePeriodSeconds")
            or (obj.get("spec") or {}).get("finalizers")
        )
        change = self._cache.drop(resource, obj) if gone else self._cache.take(resource, Seen.MODIFIED, obj)
        if change is not None:
            self._changed(change)

    async def _delete(self, write: Delete, manager: str) -> None:
        answer = await self._api.delete(
            write.resource,
            write.namespace,
            write.name,
            grace=write.grace,
            propagation=write.propagation,
            uid=write.uid,
        )
        if answer.get("kind") != "Status" and answer["metadata"].get("deletionTimestamp"):
            self._saw(write.resource, answer)
        else:
            known = self._cache.get(write.resource, write.namespace, write.name)
            change = self._cache.drop(write.resource, known) if known is not None else None
            if change is not None:
                self._changed(change)
        await self._tell(write.told, manager)

    async def _bind(self, write: Bind, manager: str) -> None:
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": write.name, "namespace": write.namespace, "uid": write.uid},
            "target": {"kind": "Node", "name": write.node},
        }
        await self._api.create("pods", write.namespace, body, manager=manager, name=write.name, subresource="binding")
        self._saw("pods", await self._api.get("pods", write.namespace, write.name))
        await self._tell(write.told, manager)

    async def _tell(self, emit: Emit | None, manager: str, made: str = "") -> None:
        """Writes an event, or counts up the one that said the same. An event that is refused is nobody's trouble."""
        if emit is None:
            return
        if made and "{name}" in emit.message:
            emit = replace(emit, message=emit.message.replace("{name}", made))
        now = self._clock.now()
        emit = self._recorder.combined(emit, now)
        known = self._recorder.known(emit)
        body = self._recorder.body(emit, now, known)
        if self._recorder.too_many(emit, now):
            return
        try:
            if known is None or not await self._counted_up(emit, known, manager):
                await self._api.create("events", namespace_of(body), body, manager=manager)
        except ApiError as error:
            if not _is_closing(error):
                _log.info("an event was refused", reason=emit.reason, message=error.message)

    async def _counted_up(self, emit: Emit, known: Told, manager: str) -> bool:
        """Whether the event that said the same is still there; it has happened once more then."""
        said = {"count": known.times, "message": emit.message[:1024]}
        change = {**said, "lastTimestamp": rfc3339(self._clock.now())}
        try:
            await self._api.patch("events", known.namespace, known.name, change, manager=manager)
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True


def _is_closing(error: ApiError) -> bool:
    """Whether the namespace is being deleted: nothing can be made in it any more."""
    causes = (error.details or {}).get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


def _is_moot(write: Write, error: ApiError) -> bool:
    """Whether the refusal means that there is nothing left to do."""
    if error.status == 404:
        return not isinstance(write, Create) or "namespaces" in error.message
    if _is_closing(error):
        return True
    return isinstance(write, Delete) and error.reason == "Conflict"
