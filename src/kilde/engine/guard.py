"""Guard: keeps what the guard's policy reads in step with Git, and opens and closes the windows that people ask for.

Where nobody has installed the guard it is one idle watch. While a window is open the applications it is about are left as they are:
nothing is healed or synced by itself; what people change is noted, and goes into the ledger when the window ends.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import structlog

from kilde.core.basics.errors import ClusterError, LedgerError
from kilde.core.basics.values import Object
from kilde.core.guard import manifests
from kilde.core.guard.entries import WHOLE, fitting, key_of, of_namespace, sentence
from kilde.core.guard.windows import Window, read_window
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Action
from kilde.core.source.repository_url import redact
from kilde.engine.context import NAMESPACES, Context
from kilde.engine.fleet.applications import CONFIG_MAPS
from kilde.engine.runtime import Wish
from kilde.ports.cluster import Discovery, EventType, Resource, WatchEvent

log = structlog.get_logger()

_BINDINGS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "ValidatingAdmissionPolicyBinding",
    "validatingadmissionpolicybindings",
    False,
)
_GUARDED = Resource("kilde.dev", "v1alpha1", manifests.GUARDED, "guardedspaces", True)
_LISTS = ("namespaces", "users", "refused")
_LOOK_EVERY = 1.0  # seconds; how far entries may be behind Git
_AGAIN = 5.0  # seconds after the cluster refused
_NOT_APART = "Kilde runs as {user}, whom the guard takes for a person: run it as a service account, or kilde up --as system:kilde"
_decode = msgspec.json.Decoder(dict).decode
_Entries = dict[str, dict[str, str]]  # namespace ("": of none) → key → sentence


@dataclass(slots=True)
class _Owned:
    """An application's share of the entries: made of a wish, with the commit at which that wish came to be."""

    wish: Wish
    commit: str
    entries: list[tuple[str, str, str]]  # namespace, key, sentence
    namespaces: frozenset[str]


@dataclass(slots=True)
class _Hand:
    """What was changed by hand while a window is open."""

    application: str
    fields: dict[str, None] = field(default_factory=dict)
    writers: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Settings:
    namespaces: frozenset[str]
    whole: bool
    users: frozenset[str]  # who count as no people
    refused: frozenset[str]  # of system:… who count as people


class Guard:
    """One for a controller. `follow` and `keep` run for as long as it does."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._settings: _Settings | None = None
        self._owned: dict[str, _Owned] = {}
        self._published: _Entries = {}
        self._bound: set[str] = set()
        self._hands: dict[str, dict[ObjectRef, _Hand]] = {}
        self._unanswered: dict[str, Window] = {}  # opened; who asked is told once their entries are away
        self._unwanted: set[str] = set()  # ConfigMaps of windows that are none any more
        self._checked: _Settings | None = None  # the settings for which we have looked who we are
        self._problem = ""
        self._recalled = False
        self._stir = asyncio.Event()
        self._synced = asyncio.Event()

    # what the cluster says

    async def follow(self) -> None:
        """Follows the guard's ConfigMaps for ever."""
        listed: set[str] = set()
        cluster, space = self._ctx.world.cluster, self._ctx.settings.namespace
        async for event in cluster.watch(CONFIG_MAPS, space, label_selector=manifests.LABEL):
            if event.type is EventType.BROKEN:
                listed = set()
            elif event.type is EventType.SYNCED:
                self._listed(listed)
                listed = set()
            elif event.type is EventType.DELETED:
                self._gone(event.name)
            else:
                if event.type is EventType.LISTED:
                    listed.add(event.name)
                self._seen(event)
            self._stir.set()

    def _listed(self, names: set[str]) -> None:
        if manifests.name_of(self._ctx.settings.namespace) not in names:
            self._settings = None
        for name in self._ctx.windows.keys() - names:
            self._close(name, "was closed by hand")
        self._synced.set()

    def _seen(self, event: WatchEvent) -> None:
        body = _decode(event.raw)
        meta = body.get("metadata") or {}
        kind = (meta.get("labels") or {}).get(manifests.LABEL)
        data = body.get("data") or {}
        if kind == manifests.SETTINGS:
            listed = {key: frozenset(filter(None, str(data.get(key) or "").split(","))) for key in _LISTS}
            self._settings = _Settings(whole=str(data.get("whole")) == "true", **listed)
        elif kind == manifests.WINDOW and not meta.get("deletionTimestamp"):
            self._asked(event.name, body)

    def _gone(self, name: str) -> None:
        if name == manifests.name_of(self._ctx.settings.namespace):
            self._settings = None
        elif name in self._ctx.windows:
            self._close(name, "was closed by hand")

    # windows

    def _asked(self, name: str, body: Object) -> None:
        """A window is asked for, or one is left over from a process that has ended."""
        if name in self._ctx.windows:
            return
        if manifests.OPENED in ((body.get("metadata") or {}).get("annotations") or {}):
            log.warning("a window of the guard was left open; it is closed", window=name)
            self._unwanted.add(name)
            return
        window = read_window(body, now=self._ctx.now())
        if isinstance(window, str) or window.until <= self._ctx.now():
            log.warning("no window of the guard", window=name, problem=window if isinstance(window, str) else "is over")
            self._unwanted.add(name)
            return
        try:
            window = replace(window, number=self._ctx.accounts.window_opened(window, self._ctx.settings.namespace))
        except LedgerError as error:
            log.error("what cannot be recorded is not opened", window=name, error=str(error))  # noqa: TRY400
            self._unwanted.add(name)
            return
        self._ctx.windows[name], self._hands[name] = window, {}
        log.warning("the guard is open", window=name, who=window.who, reason=window.reason)
        self._unanswered[name] = window
        self._wake(window)

    def noted(self, ctx: Context, window: Window, application: str, ref: ObjectRef) -> None:
        """An object of an application changed while a window is open: what differs, and who wrote it. `ctx`: of its cluster."""
        app, rt = ctx.fleet.get(application), ctx.runtimes.get(application)
        if app is None or rt is None or rt.wish is None or (packed := rt.wish.objects.get(ref)) is None:
            return
        change = ctx.surveyor.judge(app, rt, ref, packed).change
        if change.action not in (Action.CREATE, Action.UPDATE):
            return
        hand = self._hands[window.name].setdefault(ref, _Hand(application))
        hand.fields.update(dict.fromkeys([one.path for one in change.fields] or ["(the object)"]))
        hand.writers.update(dict.fromkeys(str(one.owner) for one in change.fields if one.owner))

    def _close(self, name: str, why: str) -> None:
        """Ends a window: into the ledger, and everything is put back from now on."""
        window = self._ctx.windows.pop(name)
        hands = self._hands.pop(name, {})
        changes = [
            {"object": str(ref), "application": one.application, "fields": list(one.fields), "by": list(one.writers)}
            for ref, one in sorted(hands.items())
        ]
        try:
            self._ctx.accounts.window_closed(window, self._ctx.settings.namespace, why, changes)
        except LedgerError as error:  # shut all the same; its record stays open, and the next start closes it
            log.error("the end of a window is not recorded", window=name, error=str(error))  # noqa: TRY400
        log.warning("the guard is closed", window=name, why=why, changed=len(changes))
        self._wake(window)

    def _wake(self, window: Window) -> None:
        for app in self._ctx.fleet.all():
            if window.covers(app.name):
                self._ctx.wake(app.name, 0.0)

    async def _answer(self) -> None:
        """Tells who asked that their window is open, and takes away those that are over."""
        cluster, space = self._ctx.world.cluster, self._ctx.settings.namespace
        for name, window in list(self._unanswered.items()):
            note = {"metadata": {"annotations": {manifests.OPENED: str(window.number)}}}
            try:
                await cluster.patch(CONFIG_MAPS, space, name, note, manager=self._ctx.settings.manager)
            except ClusterError as error:
                if error.status != 404:  # else who asked has given up already
                    raise
            self._unanswered.pop(name, None)
        for name in list(self._unwanted):
            await cluster.delete(CONFIG_MAPS, space, name, propagation="Background")
            self._unwanted.discard(name)

    # entries

    async def keep(self) -> None:
        """Closes windows in time, and publishes what Git owns whenever that changes."""
        await self._synced.wait()
        pause: float | None
        while True:
            self._stir.clear()
            try:
                self._overdue()
                if await self._apart():
                    await self._publish()
                await self._answer()
                idle = self._settings is None and not self._published and not self._ctx.windows
                pause = None if idle else _LOOK_EVERY
            except ClusterError as error:
                log.warning("the guard's entries could not be written", error=str(error))
                pause = _AGAIN
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stir.wait()

    async def _apart(self) -> bool:
        """Whether the guard can tell us from people; else nothing is guarded, for our own writes would be refused."""
        settings = self._settings
        if settings is None or settings == self._checked:
            return settings is None or not self._problem
        cluster, space = self._ctx.world.cluster, self._ctx.settings.namespace
        user = await cluster.whoami()
        person = user not in settings.users and (not user.startswith("system:") or user in settings.refused)
        self._problem = _NOT_APART.format(user=user) if person else ""
        if person:
            log.error("nothing is guarded", problem=self._problem)
        note = {"metadata": {"annotations": {manifests.PROBLEM: self._problem or None}}}
        name = manifests.name_of(space)
        await cluster.patch(CONFIG_MAPS, space, name, note, manager=self._ctx.settings.manager)
        self._checked = settings
        return not person

    def _overdue(self) -> None:
        now = self._ctx.now()
        for name, window in list(self._ctx.windows.items()):
            if window.until <= now:
                self._close(name, "ended in time")
                self._unwanted.add(name)

    async def _publish(self) -> None:
        if self._settings is not None and not self._recalled:
            await self._recall()
        wanted = await self._wanted() if self._settings is not None else {}
        cluster, space = self._ctx.world.cluster, self._ctx.settings.namespace
        manager = self._ctx.settings.manager
        for namespace in sorted(self._published.keys() - wanted.keys()):
            name = manifests.entries_name(space, namespace)
            await cluster.delete(_BINDINGS, "", name, propagation="Background")
            await cluster.delete(_GUARDED, space, name, propagation="Background")
            self._published.pop(namespace, None)
            self._bound.discard(namespace)
        for namespace, data in sorted(wanted.items()):
            if self._published.get(namespace) != data:
                await cluster.apply(_GUARDED, manifests.entries(space, namespace, data), manager=manager)
                self._published[namespace] = data
            if namespace not in self._bound:
                await cluster.apply(_BINDINGS, manifests.binding(space, namespace), manager=manager)
                self._bound.add(namespace)

    async def _recall(self) -> None:
        """What an earlier process has published: what of it is no longer so has to go."""
        for raw in await self._ctx.world.cluster.list(_GUARDED, self._ctx.settings.namespace):
            body = _decode(raw)
            space = manifests.namespace_of(str(body["metadata"]["name"]), self._ctx.settings.namespace)
            if space is not None:
                self._published[space] = body.get("data") or {}
        self._recalled = True

    async def _wanted(self) -> _Entries:
        discovery = await self._ctx.world.cluster.discovery()
        names = {
            app.name for app in self._ctx.fleet.all() if self._ctx.has(app)
        }  # entries are about this cluster's objects
        for name in self._owned.keys() - names:
            del self._owned[name]
        for name in names:
            self._look(name, discovery)
        return self._together()

    def _look(self, name: str, discovery: Discovery) -> None:
        """Brings one application's share up to date, if its wish has changed."""
        rt, app, before = self._ctx.runtimes.get(name), self._ctx.fleet.get(name), self._owned.get(name)
        if rt is None or app is None or rt.wish is None or not app.sources:
            return
        wish = rt.wish
        if before is not None and before.wish is wish:
            return
        if before is not None and before.wish.digest == wish.digest:
            before.wish = wish
            return
        commit = wish.revisions[0] if wish.revisions else ""
        source = next((one for one in app.sources if one.renders), app.sources[0])
        told: dict[str, Any] = {
            "repository": redact(source.repo_url),
            "path": source.path,
            "application": name,
            "commit": commit,
        }
        found = []
        for ref, packed in wish.objects.items():
            resource = discovery.resource(ref.group, ref.kind)
            key = key_of(resource.plural, ref.group, ref.name) if resource is not None else ""
            if key:
                found.append((ref.namespace, key, sentence(origin=packed.origin, **told)))
        spaces = {ref.namespace for ref in wish.objects if ref.namespace}
        self._owned[name] = _Owned(wish, commit, found, frozenset(spaces))

    def _together(self) -> _Entries:
        """Everything that is guarded now: without what a window opens, and outside of what the guard was installed for."""
        assert self._settings is not None
        only, whole = self._settings.namespaces, self._settings.whole
        found: _Entries = {}
        holders: dict[str, list[str]] = {}
        for name, owned in self._owned.items():
            if self._ctx.window(name) is not None:
                continue
            for space in owned.namespaces:
                holders.setdefault(space, []).append(name)
            for space, key, text in owned.entries:
                if space and (not only or space in only):
                    found.setdefault(space, {})[key] = text
                elif not space and (not only or key in {key_of(NAMESPACES.plural, "", one) for one in only}):
                    found.setdefault("", {})[key] = text
        for space, names in holders.items():
            if not only or space in only:
                key = key_of(NAMESPACES.plural, "", space)
                found.setdefault("", {}).setdefault(key, of_namespace(names))
                if whole:
                    found.setdefault(space, {})[WHOLE] = "true"
        return {space: fitting(entries) for space, entries in found.items()}
