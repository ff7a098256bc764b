"""What the engine remembers of an application between two passes. Everything here can be lost: it is worked out again."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

from kilde.core.apply.outcome import Outcome
from kilde.core.apps.application import GROUP, KIND, Application
from kilde.core.apps.dependencies.objects import NO_RANKS, Ranks, ranks
from kilde.core.apps.dependencies.reading import ANNOTATION
from kilde.core.apps.operation import Operation
from kilde.core.apps.quarantine import Quarantine
from kilde.core.apps.sources import joined
from kilde.core.apps.status import last_attempt
from kilde.core.basics.errors import Place
from kilde.core.basics.values import Object
from kilde.core.health.health import Health
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.change import Action, Change
from kilde.core.plan.desired import Desired, Wanted
from kilde.core.plan.fight import FightBook
from kilde.core.plan.hooks import SyncPhase, hook_spec, is_skipped
from kilde.core.plan.policy import Options
from kilde.engine.sources.rendering import Memories

_APPLICATION = GroupKind(GROUP, KIND)
_decode = msgspec.json.Decoder(dict).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Packed:
    """One wanted object, kept as bytes: a thousand applications' worth must fit in little memory."""

    raw: bytes
    origin: Place | None
    wave: int
    options: Options
    compare: Options
    version: str
    skipped: bool = False  # `hook: Skip`: compared, and never written
    depends: str = ""  # the annotation with which it waits for others of its wave
    fault: str = ""  # why it cannot be written, whatever the cluster says

    def unpack(self, ref: ObjectRef) -> Wanted:
        body: Object = _decode(self.raw)
        return Wanted(Manifest(body, self.origin), ref, self.wave, self.options, self.compare, self.fault)


def pack(wanted: Wanted) -> Packed:
    return Packed(
        _encode(wanted.manifest.body),
        wanted.manifest.origin,
        wanted.wave,
        wanted.options,
        wanted.compare,
        wanted.manifest.version,
        is_skipped(wanted.manifest.annotations),
        wanted.manifest.annotations.get(ANNOTATION, ""),
        wanted.fault,
    )


def delete_phases(hooks: Iterable[Wanted]) -> frozenset[SyncPhase]:
    """The phases around a deletion that some hook names."""
    named = {phase for hook in hooks for phase in hook_spec(hook.manifest.annotations).phases}
    return frozenset(named & {SyncPhase.PRE_DELETE, SyncPhase.POST_DELETE})


def sync_hooks(hooks: Iterable[Wanted]) -> frozenset[ObjectRef]:
    """The hooks that run in a sync, and not around a deletion alone."""
    around = {SyncPhase.PRE_DELETE, SyncPhase.POST_DELETE}
    return frozenset(hook.ref for hook in hooks if set(hook_spec(hook.manifest.annotations).phases) - around)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What Git wants of an application, each of its sources at one commit."""

    revisions: tuple[str, ...]
    source_types: tuple[str, ...]
    digest: str
    objects: dict[ObjectRef, Packed]
    hooks: tuple[tuple[ObjectRef, Packed], ...]
    repeated: tuple[str, ...]
    homeless: tuple[str, ...] = ()  # a sentence for each object that has no namespace to be in
    warnings: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()  # what Git has and the installation takes out, told as conditions
    unserved: bool = False  # the cluster did not serve one of the kinds when this was made
    made_for: object = None  # the discovery it was made with
    namespace: str = ""  # in which it puts what names none
    delete_phases: frozenset[SyncPhase] = frozenset()  # phases around a deletion that it has hooks for
    sync_hooks: frozenset[ObjectRef] = frozenset()  # those of its hooks that are not for a deletion
    synced_at: str = ""  # an earlier commit that gave the same wish, and to which the application was synced

    def ranks(self, namespace: str) -> Ranks:
        """The places of objects that wait for each other; `namespace`: of those that name none. Applications wait by themselves."""
        said = {ref: one.depends for ref, one in self.objects.items() if one.depends and ref.group_kind != _APPLICATION}
        waves = {ref: packed.wave for ref, packed in self.objects.items()} if said else {}
        return ranks(said, waves, namespace) if said else NO_RANKS

    @property
    def conditions(self) -> list[tuple[str, str]]:
        """What an application tells of what Git has of it."""
        told = [("RepeatedResourceWarning", text) for text in self.repeated]
        told += [("ExcludedResourceWarning", text) for text in self.excluded]
        return told + self.faults

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Those of them that nothing can be synced with."""
        return [("InvalidSpecError", text) for text in self.homeless]

    @property
    def sha(self) -> str:
        """The commit, or all of them in one word."""
        return joined(self.revisions)

    def at(self, revisions: tuple[str, ...]) -> "Wish":
        """The same, as what is told of other commits."""
        return replace(self, revisions=revisions)

    def moved(self, app: Application, revisions: tuple[str, ...]) -> "Wish":
        """The same wish at other commits, which change nothing that it is made from."""
        attempt = last_attempt(app.status)
        synced = attempt is not None and attempt.revision == self.sha
        return replace(self, revisions=revisions, synced_at=self.sha if synced else self.synced_at)


NOTHING = Wish(revisions=(), source_types=(), digest="", objects={}, hooks=(), repeated=())


@dataclass(slots=True)
class Judged:
    """A cached judgement: it holds while the live version and the wish are the same."""

    wanted: Packed | None
    live_version: str
    change: Change
    verdict: Health | None
    there: bool
    counts: bool
    images: tuple[str, ...] = ()  # of a live Pod
    urls: tuple[str, ...] = ()  # of a live Ingress

    @property
    def health(self) -> str:
        """One of Argo CD's words; "" for a kind that has no health."""
        if not self.there:
            return "Missing"
        return str(self.verdict.status) if self.verdict else ""

    @property
    def health_message(self) -> str:
        return self.verdict.message if self.verdict else ""


@dataclass(slots=True)
class Running:
    """An operation between its start and its end, retries included."""

    operation: Operation
    heal: bool
    started_at: float
    number: int  # of its record in the ledger
    since: float | None = (
        None  # when the attempt began that was cut off (by a restart, or by the cluster) and is to be taken up
    )
    earlier: frozenset[str] | None = None  # uids of its hooks that were there before the attempt; None: not known
    looks: bool = True  # whether it came as far as to look at Git
    retries: int = 0
    retry_at: float | None = None
    message: str = ""
    ended: Outcome | None = None  # how the attempt ended, until that is told
    agreed: dict[tuple[ObjectRef, Action], str] | None = (
        None  # writes of a saved plan that still held, and what they rest on
    )


@dataclass(slots=True)
class Runtime:
    """One application, between passes."""

    memories: Memories = ()
    source: int = 0  # the place of the source that was looked at last: where it failed, if it did
    wish: Wish | None = None
    judged: dict[ObjectRef, Judged] = field(default_factory=dict)
    judged_by: object = None  # the rules of the application that these verdicts rest on
    held_refs: frozenset[ObjectRef] = frozenset()
    scopes: frozenset[tuple[GroupKind, str]] = frozenset()
    watched: tuple[object, object, frozenset[ObjectRef]] | None = None  # what the watches were last made for
    running: Running | None = None
    busy: bool = False  # an operation writes right now: heals wait for it
    healing: dict[ObjectRef, tuple[Packed, asyncio.Event]] = field(default_factory=dict)  # heals that write right now
    fights: dict[ObjectRef, FightBook] = field(default_factory=dict)
    fighting: dict[ObjectRef, str] = field(default_factory=dict)
    stuck: dict[ObjectRef, tuple[Packed, str]] = field(
        default_factory=dict
    )  # what an apply could not bring nearer, and to what
    refused: set[ObjectRef] = field(default_factory=set)  # heals that the cluster would not have: the next sync's work
    healed: list["Heal"] = field(default_factory=list)
    heal_count: int = 0
    deleted: set[str] = field(default_factory=set)  # uids of objects whose deletion was asked for
    hook_failures: int = 0  # of hooks around its deletion
    hooks_again: float = 0.0  # when those that failed are made anew, by the monotonic clock
    render_error: str = ""
    head: Wish | None = (
        None  # what Git wants, while that is in quarantine and `wish` is what the application is kept at
    )
    good: tuple[object, Wish] | None = None  # the wish it went back to, and the revisions and sources that is of
    quarantine: Quarantine | None = None
    held: str = ""  # the digest of deletions whose holding was told of
    approved: "Approval | None" = None  # what a sync has begun to delete because somebody approved it


@dataclass(frozen=True, slots=True)
class Approval:
    """Deletions that somebody approved: their digest, that of what Git wants, and the uids; what is left of them stays approved."""

    digest: str
    rendered: str
    uids: frozenset[str]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heal:
    """One object put back: what is told in the status, the ledger and the events."""

    ref: ObjectRef
    version: str
    message: str
    fields: tuple[str, ...]
    writers: tuple[str, ...]
    started_at: float
    ended_at: float
    ok: bool


def digest_inputs(desired: Desired) -> list[Object]:
    """The bodies a rendered digest is taken over, in a fixed order."""
    return [w.manifest.body for w in sorted((*desired.objects, *desired.hooks), key=lambda w: w.ref)]
