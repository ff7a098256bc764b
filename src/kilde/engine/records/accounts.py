"""Accounts: what the engine tells the ledger. A record is opened before the first write and closed after the last. No secret values."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from kilde.core.apply.outcome import ObjectResult, Outcome
from kilde.core.apps.application import Application
from kilde.core.apps.names import instance_name
from kilde.core.basics.moment import parse, rfc3339
from kilde.core.guard.windows import Window
from kilde.core.ledger.record import Record
from kilde.core.objects.ref import ObjectRef, parse_ref
from kilde.core.plan.change import Action, Change
from kilde.core.plan.tracking import Tracking
from kilde.core.render.kustomize.settings import DEFAULT_KUSTOMIZE, KustomizeSettings
from kilde.core.source.repository_url import redact
from kilde.core.source.revision import Revision
from kilde.core.source.trailers import reviewers
from kilde.engine.runtime import Heal
from kilde.ports.clock import Clock
from kilde.ports.records import Records

_OPERATION = "operation"
_NEWEST = 2048  # records; more are not written between the end of an operation and its status


@dataclass(frozen=True, slots=True)
class CutOff:
    """Operations of one application (`namespace/name`) that a crash cut off; what they, and the newest before them, may have written."""

    application: str
    numbers: tuple[int, ...]
    objects: frozenset[ObjectRef]
    since: float | None = None  # when the attempt of an operation among them began
    earlier: frozenset[str] | None = None  # uids of its hooks that were there before it; None: not known
    newest: float | None = None  # when the newest of its operations began, ended or not; None: not known


class Accounts:
    """Writes the ledger's records; bodies are plain JSON."""

    def __init__(self, records: Records, clock: Clock, *, home: str = "") -> None:
        """`home`: the controller's namespace."""
        self._records, self._clock, self._home = records, clock, home
        self.reviewers: Callable[[str], tuple[str, ...]] = lambda sha: ()  # whom a forge is known to have told
        self.deployed: Callable[[Application, Revision], None] = lambda app, revision: None

    def opened(
        self,
        app: Application,
        *,
        cause: str = _OPERATION,
        asked_by: str,
        revision: Revision | None,
        digest: str,
        changes: Iterable[Change],
        attempt: int = 0,
        refs: Iterable[ObjectRef] = (),
        tracking: Tracking | None = None,
        kustomize: KustomizeSettings = DEFAULT_KUSTOMIZE,
        local: bool = False,
        saved_plan: str = "",
        hooks_before: Iterable[str] | None = None,
    ) -> int:
        """Opens an operation; gives its number. `local`: of manifests that were handed over, not of Git. `saved_plan`: its digest.

        `refs` (of all that is wanted), `tracking` and `kustomize` let it be rendered again as it was. `hooks_before`: uids of its hooks
        that an earlier one left.
        """
        body: dict[str, Any] = {
            "application": app.place,
            "project": app.project,
            "cause": cause,
            "askedBy": asked_by,
            "source": {"path": "local manifests"} if local else _source(app),
            "destination": {"server": app.destination.cluster.server, "namespace": app.destination.namespace},
            "renderedDigest": digest,
            "plan": [_planned(change) for change in changes if change.action is not Action.KEEP],
        }
        if revision is not None:
            body["rendering"] = _rendering(app, refs, tracking, kustomize)
            body["revision"] = {
                "sha": revision.sha,
                "author": revision.author,
                "committer": revision.committer,
                "reviewers": list(dict.fromkeys((*reviewers(revision.message), *self.reviewers(revision.sha)))),
                "signer": revision.signer,
                "committedAt": revision.committed_at,
                "subject": revision.message.partition("\n")[0][:200],
                "signature": revision.signature,
            }
        if attempt:
            body["attempt"] = attempt
        if hooks_before is not None:
            body["hooksBefore"] = sorted(hooks_before)
        if saved_plan:
            body["savedPlan"] = saved_plan
        number = self._records.append("operation-opened", body, at=self._clock.now()).number
        if revision is not None and not local:
            self.deployed(app, revision)
        return number

    def closed(self, number: int, app: Application, outcome: Outcome) -> None:
        """Closes it with what became of each object."""
        self._records.append(
            "operation-closed",
            {
                "operation": number,
                "application": app.place,
                "phase": str(outcome.phase),
                "message": outcome.message,
                "results": [_result(result) for result in outcome.results if result.verb != "keep"],
                "unchanged": sum(1 for result in outcome.results if result.verb == "keep"),
            },
            at=self._clock.now(),
        )

    def healed(self, number: int, app: Application, heal: Heal, result: ObjectResult) -> None:
        """Closes a heal with who had changed what."""
        self._records.append(
            "operation-closed",
            {
                "operation": number,
                "application": app.place,
                "phase": "Succeeded" if heal.ok else "Failed",
                "message": heal.message,
                "results": [_result(result)],
                "fields": list(heal.fields),
                "changedBy": list(heal.writers),
            },
            at=self._clock.now(),
        )

    def noted(
        self, app: Application, *, cause: str, asked_by: str, phase: str, message: str, changes: Iterable[Change] = ()
    ) -> int:
        """Something that was decided of an application and writes nothing itself; gives the number of its record."""
        number = self.opened(app, cause=cause, asked_by=asked_by, revision=None, digest="", changes=changes)
        told = {"operation": number, "application": app.place, "phase": phase, "message": message}
        self._records.append("operation-closed", {**told, "results": [], "unchanged": 0}, at=self._clock.now())
        return number

    def secret_restored(
        self, ref: ObjectRef, fields: list[str], writers: list[str], *, kind: str = "SealedSecret"
    ) -> None:
        """A Secret that somebody had changed is again what its SealedSecret (or VaultSecret) says."""
        now = self._clock.now()
        planned = {"object": str(ref), "action": "update", "why": f"differs from its {kind}", "fields": fields}
        cause = f"the Secret of a {kind} was changed"
        body: dict[str, Any] = {"application": "", "cause": cause, "askedBy": "automated", "plan": [planned]}
        number = self._records.append("operation-opened", body, at=now).number
        result = {"object": str(ref), "verb": "update", "outcome": "Synced", "message": "put back"}
        closed = {"operation": number, "application": "", "phase": "Succeeded", "results": [result]}
        self._records.append("operation-closed", {**closed, "fields": fields, "changedBy": writers}, at=now)

    def window_opened(self, window: Window, space: str) -> int:
        """Somebody opens the guard; gives the number of the record. `space`: the namespace of the Applications."""
        names = sorted(window.applications)
        body: dict[str, Any] = {
            "application": f"{space}/{names[0]}" if len(names) == 1 else "",
            "applications": names,
            "cause": f"the guard was opened: {window.reason}",
            "askedBy": window.who,
            "until": rfc3339(window.until),
            "plan": [],
        }
        return self._records.append("operation-opened", body, at=self._clock.now()).number

    def window_closed(self, window: Window, space: str, why: str, changes: list[dict[str, Any]]) -> None:
        """The guard is shut again; `changes` are what was changed by hand meanwhile."""
        names = sorted(window.applications)
        results = [
            {
                "object": one["object"],
                "verb": "by hand",
                "outcome": "Changed",
                "message": f"{one['application']}: {', '.join(one['fields'])}",
            }
            for one in changes
        ]
        body: dict[str, Any] = {
            "operation": window.number,
            "application": f"{space}/{names[0]}" if len(names) == 1 else "",
            "phase": "Succeeded",
            "message": f"the window {why}",
            "results": results,
            "fields": list(dict.fromkeys(name for one in changes for name in one["fields"])),
            "changedBy": list(dict.fromkeys(who for one in changes for who in one["by"])),
        }
        self._records.append("operation-closed", body, at=self._clock.now())

    def secret_resolved(self, ref: ObjectRef, versions: list[str], before: list[str]) -> None:
        """A Secret was made from these versions of entries in Vault (`path@version`); `before`: from which it was until then."""
        now = self._clock.now()
        why = f"has from Vault: {', '.join(versions)}"
        planned = {"object": str(ref), "action": "update" if before else "create", "why": why}
        cause = "values in Vault changed" if before else "a VaultSecret asks for values"
        body: dict[str, Any] = {"application": "", "cause": cause, "askedBy": "automated", "plan": [planned]}
        number = self._records.append("operation-opened", body, at=now).number
        result = {"object": str(ref), "verb": planned["action"], "outcome": "Synced", "message": why}
        closed = {"operation": number, "application": "", "phase": "Succeeded", "results": [result]}
        self._records.append("operation-closed", {**closed, "versions": versions, "before": before}, at=now)

    def workload_restarted(self, ref: ObjectRef, secrets: list[str]) -> None:
        """A workload that asks for it began a new rollout, because these Secrets changed."""
        now = self._clock.now()
        why = f"uses a Secret that changed: {', '.join(secrets)}" if secrets else "uses a Secret that changed meanwhile"
        planned = {"object": str(ref), "action": "update", "why": why}
        cause = "a Secret changed"
        body: dict[str, Any] = {"application": "", "cause": cause, "askedBy": "automated", "plan": [planned]}
        number = self._records.append("operation-opened", body, at=now).number
        result = {"object": str(ref), "verb": "update", "outcome": "Synced", "message": "a new rollout begins"}
        closed = {"operation": number, "application": "", "phase": "Succeeded", "results": [result]}
        self._records.append("operation-closed", closed, at=now)

    def cut_off(self) -> dict[str, CutOff]:
        """At start: what a crash left open, by the application's name. The ledger is the inventory until the status is.

        An operation is closed before the status tells of it, so the newest that are closed count as inventory, too.
        """
        found: dict[str, CutOff] = {}
        head = self._records.head()
        for record in self._records.read(first=max(1, head.number - _NEWEST)) if head is not None else ():
            if record.kind == "operation-opened" and record.body.get("application"):
                name, before, objects = self._planned(record, found)
                newest = parse(record.at) if record.body.get("cause") == _OPERATION else before.newest
                found[name] = replace(before, objects=before.objects | objects, newest=newest)
        for record in self._records.open_operations():
            name, before, objects = self._planned(record, found)
            since, earlier = before.since, before.earlier
            if record.body.get("cause") == _OPERATION:
                since = parse(record.at) if since is None else since  # taken up again, it began with the first of them
                left = record.body.get("hooksBefore")
                earlier = frozenset(map(str, left)) if isinstance(left, list) else None
            numbers = (*before.numbers, record.number)
            objects |= before.objects
            found[name] = replace(before, numbers=numbers, objects=objects, since=since, earlier=earlier)
        return found

    def _planned(self, record: Record, found: Mapping[str, CutOff]) -> tuple[str, CutOff, frozenset[ObjectRef]]:
        """Which application a record is of, what was found of it before, and what the record planned."""
        application = str(record.body.get("application", ""))
        namespace, _, own = application.rpartition("/")
        name = instance_name(namespace, own, self._home)
        refs = (parse_ref(str(item.get("object", ""))) for item in record.body.get("plan") or ())
        known = found.get(name, CutOff(application, (), frozenset()))
        return name, known, frozenset(ref for ref in refs if ref is not None)

    def close_cut_off(self, cut: CutOff) -> None:
        """Closes them as what they were, once the status lists what they wrote: another crash before that loses nothing."""
        for number in cut.numbers:
            self._records.append(
                "operation-closed",
                {
                    "operation": number,
                    "application": cut.application,
                    "phase": "Interrupted",
                    "message": "the controller ended before the operation did; the next pass starts from the cluster",
                    "results": [],
                },
                at=self._clock.now(),
            )


def _source(app: Application) -> dict[str, Any]:
    """Where it came from; of several sources, where the first did, and `more` has the others."""
    told = [
        {"repoURL": redact(one.repo_url), "path": one.path, "targetRevision": one.target_revision}
        for one in app.sources
    ]
    if not told:
        return {}
    return {**told[0], "more": told[1:]} if len(told) > 1 else dict(told[0])


def _rendering(
    app: Application, refs: Iterable[ObjectRef], tracking: Tracking | None, kustomize: KustomizeSettings
) -> dict[str, Any]:
    """How the source was rendered. Patches that the Application itself holds are left out: they can hold anything."""
    raw = app.source.raw if app.source else {}
    blocks = {key: dict(raw[key]) for key in ("directory", "kustomize") if isinstance(raw.get(key), dict)}
    patched = bool(blocks.get("kustomize", {}).pop("patches", None))
    cluster_wide = sorted({f"{ref.group}/{ref.kind}" for ref in refs if not ref.namespace})
    marks = {"tracking": asdict(tracking)} if tracking is not None else {}
    jsonnet = blocks.get("directory", {}).pop("jsonnet", None)  # its variables can hold anything, too
    made_by = {
        "several sources": len(app.sources) > 1,
        "a Helm chart": bool({"helm", "chart"} & raw.keys()),
        "a plugin": "plugin" in raw or app.status.get("sourceType") == "Plugin",
        "Jsonnet": bool(jsonnet),
    }
    unkept = next((what for what, is_so in made_by.items() if is_so), "")
    more = {"unkept": unkept} if unkept else {}
    if flags := kustomize.text(str(blocks.get("kustomize", {}).get("version") or ""))[0]:
        more["buildOptions"] = flags
    return {"blocks": blocks, "patched": patched, "clusterWide": cluster_wide, **more, **marks}


def _planned(change: Change) -> dict[str, Any]:
    return {
        "object": str(change.ref),
        "action": str(change.action),
        "why": change.why,
        "resourceVersion": change.live_version,
        "fields": [field.path for field in change.fields],
    }


def _result(result: ObjectResult) -> dict[str, Any]:
    return {
        "object": str(result.ref),
        "verb": result.verb,
        "outcome": str(result.code),
        "message": result.message,
        "before": result.before,
        "after": result.after,
    }
