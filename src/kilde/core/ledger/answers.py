"""Answers to what people ask of a ledger: who changed an object, what ran at a moment, what was done by hand, what was deleted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kilde.core.basics.moment import parse
from kilde.core.ledger.operation import OperationView

IN_CLUSTER = "https://kubernetes.default.svc"
_DELETIONS = frozenset({"prune", "delete", "replace"})
_DONE = "Succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened to one object, and everything that caused it."""

    at: str
    operation: int
    cluster: str
    application: str
    object: str
    verb: str
    outcome: str
    cause: str
    asked_by: str
    commit: str = ""
    subject: str = ""
    author: str = ""
    signature: str = ""
    signer: str = ""
    reviewers: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    message: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What an application had applied last, as of a moment."""

    cluster: str
    application: str
    since: str
    operation: int
    commit: str
    author: str
    repository: str
    path: str
    digest: str


def events(found: Iterable[OperationView]) -> list[Event]:
    """One for each object that an operation wrote, in the order it was done."""
    return [_event(view, index) for view in found for index in range(len(view.written))]


def _event(view: OperationView, index: int) -> Event:
    done, revision = view.written[index], view.revision
    return Event(
        at=view.closed_at or view.opened_at,
        operation=view.number,
        cluster=cluster_of(view),
        application=view.application,
        object=done.object,
        verb=done.verb,
        outcome=done.outcome,
        cause=view.cause,
        asked_by=view.asked_by,
        commit=revision.get("sha", ""),
        subject=revision.get("subject", ""),
        author=revision.get("author", ""),
        signature=revision.get("signature", ""),
        signer=revision.get("signer", ""),
        reviewers=view.reviewers,
        request=view.request,
        by_hand=view.changed_by,
        fields=view.fields,
        message=done.message,
    )


def cluster_of(view: OperationView) -> str:
    """The server it was done to; an older record names none, and meant the controller's own."""
    return view.destination.get("server") or IN_CLUSTER


def between(found: Iterable[Event], begin: float | None, end: float | None) -> list[Event]:
    """Those of a time (seconds since the epoch; None: without bound)."""

    def within(event: Event) -> bool:
        at = parse(event.at) or 0.0
        return (begin is None or at >= begin) and (end is None or at <= end)

    return [event for event in found if within(event)]


def of_object(found: Iterable[Event], wanted: str) -> list[Event]:
    """Those of an object, named as the ledger does (`apps/Deployment shop/web`) or by any part of it that is whole words."""
    words = wanted.lower().replace("/", " ").split()

    def fits(event: Event) -> bool:
        said = event.object.lower().replace("/", " ").split()
        return all(word in said for word in words)

    return [event for event in found if fits(event)]


def deletions(found: Iterable[Event]) -> list[Event]:
    """Objects that went, a replacement included."""
    return [event for event in found if event.verb in _DELETIONS]


def by_hand(found: Iterable[Event]) -> list[Event]:
    """What somebody else had changed, and was put back."""
    return [event for event in found if event.by_hand or event.cause.startswith("self-heal")]


def running_at(
    found: Sequence[OperationView], moment: float, cluster: str = ""
) -> list[tuple[Deployed, OperationView]]:
    """What each application of a cluster ("": of all) had applied last at that moment; those deleted by then are left out."""
    last: dict[tuple[str, str], OperationView] = {}
    for view in found:
        closed = parse(view.closed_at) if view.closed_at else None
        if closed is None or closed > moment or view.phase != _DONE:
            continue
        key = (cluster_of(view), view.application)
        if view.cause == "application deleted":
            last.pop(key, None)
        elif view.revision.get("sha"):
            last[key] = view
    return [(_deployed(view), view) for (server, _), view in sorted(last.items()) if cluster in ("", server)]


def _deployed(view: OperationView) -> Deployed:
    return Deployed(
        cluster=cluster_of(view),
        application=view.application,
        since=view.closed_at,
        operation=view.number,
        commit=view.revision.get("sha", ""),
        author=view.revision.get("author", ""),
        repository=view.source.get("repoURL", ""),
        path=view.source.get("path", ""),
        digest=view.rendered_digest,
    )
