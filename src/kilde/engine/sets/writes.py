"""The writes of an ApplicationSet: Applications made, changed, disowned and deleted, each with its event."""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

import structlog

from kilde.core.apps.application import read_application
from kilde.core.apps.clusters import NOWHERE
from kilde.core.apps.names import instance_name
from kilde.core.basics.errors import ClusterError, InvalidInput
from kilde.core.basics.values import Object
from kilde.core.sets import rollout
from kilde.core.sets.application_set import FINALIZER, KIND, ApplicationSet
from kilde.core.sets.writing import controller_of, write_for
from kilde.engine.context import Context
from kilde.engine.fleet.applications import APPLICATIONS
from kilde.engine.requests import persist

log = structlog.get_logger()
Failure = tuple[str, str]  # Argo CD's reason, and words
_REFRESH = "argocd.argoproj.io/refresh"


class SetWriter:
    """Writes for one controller; so many at once as for the objects of an application."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._slots = asyncio.Semaphore(ctx.settings.parallel_writes)
        self.writes = 0

    async def bring(
        self, owner: ApplicationSet, wanted: Iterable[Object], live: Mapping[str, Object]
    ) -> Failure | None:
        """Makes and changes Applications; what failed first, by name."""
        chosen = [body for body in wanted if owner.may_update or str(body["metadata"]["name"]) not in live]
        failed = await asyncio.gather(*(self._one(owner, body) for body in chosen))
        words = next((each for each in failed if each), "")
        return ("UpdateApplicationError" if owner.may_update else "CreateApplicationError", words) if words else None

    async def _one(self, owner: ApplicationSet, wanted: Object) -> str:
        """Writes one where it differs; why it could not be, "" where it is well."""
        name = str(wanted["metadata"]["name"])
        known = self._ctx.fleet.get(self._key(owner, name))
        if known is not None and known.deleting:
            return ""  # it is made again when it is gone
        try:
            write = write_for(owner, wanted, self._ctx.fleet.raw(known.name) if known is not None else None)
            if not write:
                return ""
            async with self._slots:
                if write.create:
                    await self._create(write.create)
                else:
                    await self._patch(owner.namespace, name, write.patch)
        except InvalidInput as error:
            return str(error)
        except ClusterError as error:
            if error.status == 409:
                raise  # somebody was faster: the next pass sees what they did
            return error.what
        word = "created" if write.create else "updated"
        log.info("an ApplicationSet wrote an Application", set=owner.name, application=name, action=word)
        await self._event(owner, word, f'{word} Application "{name}"')
        return ""

    async def _create(self, body: Object) -> None:
        cluster, manager = self._ctx.world.cluster, self._ctx.settings.manager
        self.writes += 1
        applied = await persist(lambda: cluster.create(APPLICATIONS, body, manager=manager), self._ctx.world.clock)
        self._ctx.fleet.take(applied.raw)

    async def _patch(self, namespace: str, name: str, patch: Object) -> None:
        cluster, manager = self._ctx.world.cluster, self._ctx.settings.manager
        self.writes += 1
        call = partial(cluster.patch, APPLICATIONS, namespace, name, patch, manager=manager)
        self._ctx.fleet.take(await persist(call, self._ctx.world.clock))

    def _key(self, owner: ApplicationSet, name: str) -> str:
        """What the fleet calls an Application of the set's namespace."""
        return instance_name(owner.namespace, name, self._ctx.settings.namespace)

    async def refresh(self, owner: ApplicationSet, names: Iterable[str]) -> None:
        """Has Applications looked at anew before a rollout goes on."""
        for name in names:
            app = self._ctx.fleet.get(self._key(owner, name))
            if app is not None:
                await self._patch(app.namespace, name, {"metadata": {"annotations": {_REFRESH: "normal"}}})

    async def delete(self, owner: ApplicationSet, unwanted: Iterable[Object]) -> Failure | None:
        """Deletes Applications; what failed first."""
        failed = await asyncio.gather(*(self._delete(owner, app) for app in unwanted))
        words = next((each for each in failed if each), "")
        return ("DeleteApplicationError", words) if words else None

    async def _delete(self, owner: ApplicationSet, app: Object) -> str:
        meta = app["metadata"]
        name = str(meta["name"])
        if meta.get("deletionTimestamp"):
            return ""
        try:
            async with self._slots:
                await self._free_from_nowhere(owner, app)
                self.writes += 1
                cluster = self._ctx.world.cluster
                await cluster.delete(
                    APPLICATIONS, owner.namespace, name, propagation="Background", uid=str(meta.get("uid", ""))
                )
        except ClusterError as error:
            return "" if error.status == 404 else error.what
        log.info("an ApplicationSet deleted an Application", set=owner.name, application=name)
        await self._event(owner, "Deleted", f'Deleted Application "{name}"')
        return ""

    async def _free_from_nowhere(self, owner: ApplicationSet, app: Object) -> None:
        """Without a cluster to delete from, the finalizer would hold the Application for ever."""
        finalizers = list(app["metadata"].get("finalizers") or ())
        nowhere = read_application(app, self._ctx.projects.clusters).destination.cluster == NOWHERE
        if nowhere and FINALIZER in finalizers:
            left = [each for each in finalizers if each != FINALIZER]
            name = str(app["metadata"]["name"])
            await self._patch(owner.namespace, name, {"metadata": {"finalizers": left or None}})
            words = "finalizer before deletion, because application has an invalid destination"
            await self._event(owner, "Updated", f'Updated Application "{name}" {words}')

    async def disown(self, owner: ApplicationSet, live: Iterable[Object]) -> None:
        """Takes the owner reference away: the garbage collector leaves the Applications alone."""
        for app in live:
            rest = [
                each for each in app["metadata"].get("ownerReferences") or () if each != controller_of(app["metadata"])
            ]
            patch = {"metadata": {"ownerReferences": rest or None}}
            await self._patch(owner.namespace, str(app["metadata"]["name"]), patch)

    async def delete_last(self, owner: ApplicationSet, live: list[Object]) -> bool:
        """Deletes one Application of the last step there is one of; whether anything is still to go."""
        steps = rollout.steps_of(owner, live)
        ordered = sorted(
            (app for app in live if app["metadata"]["name"] in steps.of),
            key=lambda app: (-steps.of[str(app["metadata"]["name"])], str(app["metadata"]["name"])),
        )
        if not ordered:
            return False
        words = await self._delete(owner, ordered[0])
        if words:
            log.warning("an Application cannot be deleted", set=owner.name, error=words)
        return True

    async def _event(self, owner: ApplicationSet, reason: str, message: str) -> None:
        about = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": KIND,
            "name": owner.name,
            "namespace": owner.namespace,
            "uid": owner.uid,
        }
        await self._ctx.reporter.event_on(about, kind="Normal", reason=reason, message=message)
