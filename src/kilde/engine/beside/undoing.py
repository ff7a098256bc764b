"""Undo: puts back what one operation deleted, wave by wave, beside a running controller, which leaves it there until Git has it again.

Each object comes back with a mark (`kilde.dev/restored`), under the controller's own field manager: while the mark is there the object is
not pruned unasked, and the first apply from Git takes the mark away.
"""

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from kilde.core.apply.outcome import ObjectResult, Outcome, Phase, ResultCode
from kilde.core.apps.application import REFRESH_ANNOTATION, Application
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.objects.ref import ObjectRef, split_api_version
from kilde.core.plan.change import Action, Change
from kilde.core.plan.masking import redacted
from kilde.core.plan.restoring import Kept, in_order, restorable
from kilde.engine.fleet.applications import APPLICATIONS
from kilde.engine.records.accounts import Accounts
from kilde.engine.requests import persist
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Resource

_decode = msgspec.json.Decoder(dict).decode
_PATIENCE = 60.0  # seconds that an object may take to go, or a kind to be served
_LOOK = 0.25


class Undoing:
    """Puts objects back into `cluster`; `home` is that of the Applications. `manager` is the field manager of the controller."""

    def __init__(self, home: Cluster, cluster: Cluster, clock: Clock, accounts: Accounts, *, manager: str) -> None:
        self._home, self._cluster, self._clock = home, cluster, clock
        self._accounts, self._manager = accounts, manager

    async def undo(self, app: Application, kept: Sequence[Kept], *, asked_by: str, exists: bool) -> Outcome:
        """Puts all of them back that are not there; one record in the ledger. Never raises for what the cluster refuses.

        `exists`: whether there still is such an Application: then its status lists the objects, before and after they are made.
        """
        number = self._accounts.opened(
            app,
            cause=f"undo of operation {kept[0].operation}",
            asked_by=asked_by,
            revision=None,
            digest="",
            changes=[_change(one) for group in in_order(kept) for one in group],
        )
        results: list[ObjectResult] = []
        outcome = Outcome(Phase.ERROR, "interrupted")
        try:
            if exists:
                await self._list(app, kept)
            for group in in_order(kept):
                results += [await self._one(one) for one in group]
            if exists:
                await self._list(app, kept)
            outcome = _outcome(results)
        finally:
            self._accounts.closed(number, app, outcome)
        return outcome

    async def _one(self, kept: Kept) -> ObjectResult:
        change = _change(kept)
        try:
            resource = await self._served(kept.ref, change.version)
            if await self._is_there(kept, resource):
                return _result(change, "is there already, and was left as it is", "keep")
            body = restorable(kept.body, operation=kept.operation)
            applied = await self._applied(resource, body)
        except KildeError as error:
            text = redacted(error.what, kept.body) if kept.ref.kind == "Secret" else error.what
            return _result(change, text, "refused", code=ResultCode.FAILED)
        version = str((_decode(applied).get("metadata") or {}).get("resourceVersion", ""))
        return _result(change, "put back", "created", after=version)

    async def _applied(self, resource: Resource, body: dict[str, Any]) -> bytes:
        """Applied; a namespace that is still on its way out is waited for."""
        deadline = self._clock.monotonic() + _PATIENCE
        while True:
            try:
                made = await persist(lambda: self._cluster.apply(resource, body, manager=self._manager), self._clock)
            except ClusterError as error:
                late = self._clock.monotonic() > deadline
                if late or not (error.status == 403 and "being terminated" in error.what):
                    raise
                await self._clock.sleep(_LOOK)
            else:
                return made.raw

    async def _is_there(self, kept: Kept, resource: Resource) -> bool:
        """Whether it is there; one that is going is waited for. Raises KildeError when it does not go."""
        deadline = self._clock.monotonic() + _PATIENCE
        ref = kept.ref
        while True:
            raw = await persist(lambda: self._cluster.get(resource, ref.namespace, ref.name), self._clock)
            if raw is None:
                return False
            if not (_decode(raw).get("metadata") or {}).get("deletionTimestamp"):
                return True
            if self._clock.monotonic() > deadline:
                hint = "look for a finalizer that holds it"
                raise KildeError(f"is still on its way out after {_PATIENCE:.0f} s", about=str(ref), hint=hint)
            await self._clock.sleep(_LOOK)

    async def _served(self, ref: ObjectRef, version: str) -> Resource:
        """The kind at that version; one whose definition was put back a moment ago is waited for."""
        deadline = self._clock.monotonic() + _PATIENCE / 4
        while True:
            discovery = await self._cluster.discovery(refresh=True)
            found = discovery.resource(ref.group, ref.kind, version) or discovery.resource(ref.group, ref.kind)
            if found is not None:
                return found
            if self._clock.monotonic() > deadline:
                raise KildeError("the cluster does not serve this kind", about=str(ref.group_kind))
            await self._clock.sleep(_LOOK)

    async def _list(self, app: Application, kept: Iterable[Kept]) -> None:
        """Has the Application's status, which is the inventory, list the objects, and the controller look at it anew."""
        for _ in range(8):
            raw = await self._home.get(APPLICATIONS, app.namespace, app.own_name)
            if raw is None:
                return
            body = _decode(raw)
            meta = {
                "resourceVersion": body["metadata"]["resourceVersion"],
                "annotations": {REFRESH_ANNOTATION: "normal"},
            }
            known = list((body.get("status") or {}).get("resources") or ())
            places = {_place(entry) for entry in known}
            fresh = [entry for entry in map(_entry, kept) if _place(entry) not in places]
            patch = {"metadata": meta, "status": {"resources": [*known, *fresh]}}
            with contextlib.suppress(ClusterError):
                await self._home.patch(APPLICATIONS, app.namespace, app.own_name, patch, manager=self._manager)
                return
            await self._clock.sleep(_LOOK)


def _place(entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(entry.get(key) or "") for key in ("group", "kind", "namespace", "name"))


def _entry(kept: Kept) -> dict[str, Any]:
    ref = kept.ref
    version = split_api_version(str(kept.body.get("apiVersion", "")))[1]
    entry = {"group": ref.group, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name, "version": version}
    return {**{key: text for key, text in entry.items() if text}, "status": "OutOfSync", "requiresPruning": True}


def _change(kept: Kept) -> Change:
    version = split_api_version(str(kept.body.get("apiVersion", "")))[1]
    return Change(ref=kept.ref, action=Action.CREATE, why=f"deleted by operation {kept.operation}", version=version)


def _result(
    change: Change, message: str, verb: str, *, code: ResultCode = ResultCode.SYNCED, after: str = ""
) -> ObjectResult:
    return ObjectResult(ref=change.ref, version=change.version, code=code, message=message, verb=verb, after=after)


def _outcome(results: list[ObjectResult]) -> Outcome:
    failed = sum(1 for result in results if result.code is ResultCode.FAILED)
    made = sum(1 for result in results if result.verb == "created")
    if failed:
        return Outcome(Phase.FAILED, f"{failed} of {len(results)} objects could not be put back", tuple(results))
    return Outcome(Phase.SUCCEEDED, f"{made} of {len(results)} objects put back", tuple(results))
