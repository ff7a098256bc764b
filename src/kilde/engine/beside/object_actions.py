"""Actions on objects of an application, beside a running controller: what they offer now, and one of them run and put on record.

Like a person's own `kubectl`, with the rights of whoever runs it: an object that is not the application's is left alone, and what Git says
otherwise of an object is put back by the controller as after any other write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from kilde.core.actions.action import Call, Impact, Offered
from kilde.core.actions.configured import Scripts, read_scripts
from kilde.core.actions.running import offered, ref_of, run
from kilde.core.apply.outcome import ObjectResult, Outcome, Phase, ResultCode
from kilde.core.apps.application import Application
from kilde.core.basics.errors import ClusterError, InvalidInput, KildeError
from kilde.core.basics.values import Object
from kilde.core.objects.patches.merge_patch import patch_between
from kilde.core.objects.ref import ObjectRef, split_api_version
from kilde.core.plan.change import Action, Change
from kilde.core.plan.masking import redacted
from kilde.core.plan.tracking import read_tracking
from kilde.engine.fleet.applications import CONFIG_MAPS
from kilde.engine.fleet.projects import Projects
from kilde.engine.records.accounts import Accounts
from kilde.engine.requests import resource_of
from kilde.engine.sources.wishes import owned_refs
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster

_decode = msgspec.json.Decoder(dict).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Which objects are meant; "" for any."""

    group: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""

    def fits(self, ref: ObjectRef) -> bool:
        pairs = ((self.group, ref.group), (self.namespace, ref.namespace), (self.name, ref.name))
        same_kind = not self.kind or self.kind.lower() == ref.kind.lower()
        return same_kind and all(not wanted or wanted == has for wanted, has in pairs)


@dataclass(frozen=True, slots=True)
class _Planned:
    """One object, and what the action would write."""

    live: Object
    impacts: tuple[Impact, ...]


class ObjectActions:
    """The actions of one application's objects, which are in `cluster`; `home`: where the Applications are, in this namespace.

    `accounts` None: there is no ledger to put them into.
    """

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        app: Application,
        accounts: Accounts | None,
        *,
        manager: str,
        home: Cluster,
        namespace: str,
    ) -> None:
        self._cluster, self._clock, self._app, self._accounts = cluster, clock, app, accounts
        self._manager, self._home, self._namespace = manager, home, namespace
        self._data: Mapping[str, Any] = {}
        self._projects = Projects(home, namespace, clock, lambda name: None)

    async def load(self) -> None:
        """Reads `argocd-cm` and the AppProjects. Raises ClusterError."""
        raw = await self._home.get(CONFIG_MAPS, self._namespace, "argocd-cm")
        self._data = (_decode(raw).get("data") or {}) if raw else {}
        await self._projects.load()

    async def listed(self, pick: Pick) -> list[tuple[ObjectRef, list[Offered]]]:
        """What the objects of the application offer. Raises KildeError."""
        found = [(ref, await self._live(ref)) for ref in self._picked(pick)]
        return [(ref, self._offered(ref, live)) for ref, live in found if live is not None]

    async def run(self, pick: Pick, name: str, parameters: Mapping[str, str], *, every: bool, asked_by: str) -> Outcome:
        """Runs an action on the one object that is meant, or on all that are. KildeError before the first write, if something is wrong."""
        refs = self._picked(pick)
        if not refs:
            hint = f"its objects: kilde app resources {self._app.name}"
            raise InvalidInput("no such object is the application's", about=self._app.name, hint=hint)
        if len(refs) > 1 and not every:
            names = ", ".join(map(str, refs[:5])) + (", …" if len(refs) > 5 else "")
            raise InvalidInput(
                f"{len(refs)} objects are meant: {names}", about=self._app.name, hint="give --name, or --all"
            )
        planned = []
        for ref in refs:
            live = await self._live(ref)
            if live is not None and (not every or self._can(ref, live, name)):
                planned.append(_Planned(live, self._planned(ref, live, name, Call(parameters, self._clock.now()))))
        if not planned:
            what = "is not there" if len(refs) == 1 and not every else f"no object has the action '{name}' now"
            raise InvalidInput(what, about=str(refs[0]) if len(refs) == 1 else self._app.name)
        return await self._carried_out(planned, name, asked_by)

    def _picked(self, pick: Pick) -> list[ObjectRef]:
        return sorted(ref for ref in owned_refs(self._app) if pick.fits(ref))

    async def _live(self, ref: ObjectRef) -> Object | None:
        """The object; None where it is not there. InvalidInput where another application has it."""
        discovery = await self._cluster.discovery()
        resource = discovery.resource(ref.group, ref.kind)
        raw = await self._cluster.get(resource, ref.namespace, ref.name) if resource is not None else None
        if raw is None:
            return None
        live = _decode(raw)
        holder = read_tracking(self._data).owner(live.get("metadata") or {}, ref)
        if holder not in ("", self._app.name):
            raise InvalidInput(f"is the application {holder}'s, not {self._app.name}'s", about=str(ref))
        return live

    def _scripts(self, ref: ObjectRef) -> Scripts | None:
        scripts, problems = read_scripts(self._data, ref.group, ref.kind)
        if problems:
            raise InvalidInput("; ".join(problems), about="argocd-cm")
        return scripts

    def _offered(self, ref: ObjectRef, live: Object) -> list[Offered]:
        try:
            return offered(live, self._scripts(ref))
        except InvalidInput as error:
            raise _quietly(error, ref, live) from None

    def _can(self, ref: ObjectRef, live: Object, name: str) -> bool:
        return any(one.name == name and not one.disabled for one in self._offered(ref, live))

    def _planned(self, ref: ObjectRef, live: Object, name: str, call: Call) -> tuple[Impact, ...]:
        try:
            impacts = run(live, name, call, self._scripts(ref))
        except InvalidInput as error:
            raise _quietly(error, ref, live) from None
        for impact in impacts:
            of = ref_of(impact.body)
            if denied := self._projects.forbids(self._app, of, namespaced=bool(of.namespace)):
                raise InvalidInput(denied, about=str(of))
        return impacts

    async def _carried_out(self, planned: Sequence[_Planned], name: str, asked_by: str) -> Outcome:
        """Writes, with a record around it. Never raises for what the cluster refuses."""
        changes = [_change(one, impact, name) for one in planned for impact in one.impacts]
        number = 0
        if self._accounts is not None:
            number = self._accounts.opened(
                self._app, cause=f"action {name}", asked_by=asked_by, revision=None, digest="", changes=changes
            )
        results: list[ObjectResult] = []
        outcome = Outcome(Phase.ERROR, "interrupted")
        try:
            for one in planned:
                results += [await self._written(one, impact, name) for impact in one.impacts]
            failed = [result for result in results if result.code is ResultCode.FAILED]
            done = (Phase.FAILED, failed[0].message) if failed else (Phase.SUCCEEDED, f"action {name} was run")
            outcome = Outcome(*done, tuple(results))
        finally:
            if self._accounts is not None:
                self._accounts.closed(number, self._app, outcome)
        return outcome

    async def _written(self, one: _Planned, impact: Impact, name: str) -> ObjectResult:
        change = _change(one, impact, name)
        try:
            if impact.operation == "create":
                resource = await resource_of(self._cluster, change.ref, change.version)
                raw = (await self._cluster.create(resource, impact.body, manager=self._manager)).raw
                made = ref_of(_decode(raw))
                return _result(change, f"created {made}", "created", ref=made)
            return await self._patched(change, one.live, impact.body)
        except ClusterError as error:
            text = redacted(error.what, one.live, impact.body) if change.ref.kind == "Secret" else error.what
            return _result(change, text, "refused", code=ResultCode.FAILED)

    async def _patched(self, change: Change, live: Object, body: Object) -> ObjectResult:
        """The status through its own door, where it has one; provided that nobody has changed the object since it was looked at."""
        patch = patch_between(live, body)
        if not patch:
            return _result(change, "unchanged", "keep")
        ref, resource = change.ref, await resource_of(self._cluster, change.ref, change.version)
        guarded = True
        if "status" in patch and await self._status_patched(change, patch["status"]):
            del patch["status"]
            guarded = False
        if patch:
            if guarded:
                patch["metadata"] = {**(patch.get("metadata") or {}), "resourceVersion": change.live_version}
            await self._cluster.patch(resource, ref.namespace, ref.name, patch, manager=self._manager)
        return _result(change, "changed", "configured")

    async def _status_patched(self, change: Change, status: Any) -> bool:
        """Whether the kind keeps its status apart, and it is written."""
        ref, resource = change.ref, await resource_of(self._cluster, change.ref, change.version)
        patch = {"metadata": {"resourceVersion": change.live_version}, "status": status}
        try:
            await self._cluster.patch(
                resource, ref.namespace, ref.name, patch, manager=self._manager, subresource="status"
            )
        except ClusterError as error:
            if error.status != 404:
                raise
            return False
        return True


def _change(one: _Planned, impact: Impact, name: str) -> Change:
    meta = one.live.get("metadata") or {}
    made = impact.operation == "create"
    return Change(
        ref=ref_of(impact.body),
        action=Action.CREATE if made else Action.UPDATE,
        why=f"action {name}",
        version=split_api_version(str(impact.body.get("apiVersion", "")))[1],
        live_version="" if made else str(meta.get("resourceVersion", "")),
        live_uid="" if made else str(meta.get("uid", "")),
    )


def _result(
    change: Change, message: str, verb: str, *, code: ResultCode = ResultCode.SYNCED, ref: ObjectRef | None = None
) -> ObjectResult:
    return ObjectResult(
        ref=ref or change.ref, version=change.version, code=code, message=message, verb=verb, before=change.live_version
    )


def _quietly(error: KildeError, ref: ObjectRef, live: Object) -> InvalidInput:
    """The error, without a value of a Secret that a script may have put into it."""
    text = redacted(error.what, live) if ref.kind == "Secret" else error.what
    return InvalidInput(text, about=error.about or str(ref), hint=error.hint)
