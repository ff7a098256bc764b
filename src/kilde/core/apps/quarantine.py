"""Quarantine: commits that an application is not brought to by itself, since its sync failed or they did it harm.

It is kept in one place, an annotation of the Application (JSON), so that it outlives the controller and a person can read and write it.
It holds for the commits it names, and for later ones that want the very same of the application; the first that wants something else ends
it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from kilde.core.apply.outcome import Phase
from kilde.core.apps.application import Application
from kilde.core.apps.sources import Source, joined, told_list
from kilde.core.apps.status import last_attempt
from kilde.core.basics.moment import parse
from kilde.core.basics.reading import duration
from kilde.core.basics.values import canonical

ANNOTATION = "kilde.dev/quarantine"
ON_DEGRADED = "kilde.dev/on-degraded"
"""hold: nothing is written until a better commit comes; rollback: the last other deployment is brought back; off: as Argo CD."""
WINDOW = "kilde.dev/degraded-window"
CONDITION = "QuarantineWarning"
MODES = ("hold", "rollback", "off")
DEFAULT_WINDOW = 900.0  # seconds; a Deployment says after ten minutes that it makes no progress
_TERMINATED = "Operation terminated"
_SHORT = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """`revisions` (one for each source) are in quarantine, and `rendered` is the digest of what they want ("" where it is not known yet).

    `to` are the revisions that the application is kept at; none: it stays as it is, and nothing is written.
    """

    revisions: tuple[str, ...]
    reason: str
    to: tuple[str, ...] = ()
    rendered: str = ""
    by: str = "automated"

    def covers(self, revision: str, rendered: str) -> bool:
        """Whether a wish (its commits in one word, and its digest) is in quarantine."""
        return revision == joined(self.revisions) or (bool(self.rendered) and self.rendered == rendered)

    def written(self) -> str:
        """The annotation's text."""
        body = {"revisions": list(self.revisions), "reason": self.reason, "by": self.by}
        more = {"to": list(self.to), "rendered": self.rendered}
        return canonical({**body, **{key: value for key, value in more.items() if value}}).decode()

    def sentence(self, name: str) -> str:
        """What the condition says."""
        kept = f"It is kept at {_shown(self.to)}" if self.to else "Nothing is written or healed"
        ends = "a commit wants something else of it" if self.rendered or self.to else "another commit comes"
        return (
            f"{_shown(self.revisions)} is in quarantine: {self.reason.rstrip('.')}. {kept} until {ends}; "
            f"to deploy it all the same: kilde app sync {name}"
        )


def _shown(revisions: tuple[str, ...]) -> str:
    return ", ".join(one[:_SHORT] for one in revisions)


def quarantine_of(app: Application) -> Quarantine | None:
    """The application's quarantine. One that cannot be read is none; `unreadable` tells of it."""
    text = app.annotations.get(ANNOTATION)
    if text is None:
        return None
    try:
        raw = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return None
    revisions, to = _texts(raw.get("revisions")), _texts(raw.get("to"))
    if len(revisions) != len(app.sources) or len(to) not in (0, len(app.sources)):
        return None
    words = {key: str(raw.get(key) or "") for key in ("reason", "rendered", "by")}
    return Quarantine(
        revisions=revisions,
        reason=words["reason"] or "no reason given",
        to=to,
        rendered=words["rendered"],
        by=words["by"] or "unknown",
    )


def unreadable(app: Application) -> str:
    """Why its annotations about quarantine mean nothing; "" where they can be read."""
    if ANNOTATION in app.annotations and quarantine_of(app) is None:
        return f"annotation {ANNOTATION} cannot be read, and holds nothing: remove it, or write one revision for each source"
    if app.annotations.get(ON_DEGRADED, MODES[0]) not in MODES:
        return f"annotation {ON_DEGRADED} is none of {', '.join(MODES)}"
    if WINDOW in app.annotations and duration(app.annotations[WINDOW]) is None:
        return f"annotation {WINDOW} is no duration (write 90s, 15m or 1h)"
    return ""


def fault_of(app: Application, revision: str, health: str, *, now: float, mode: str) -> str:
    """Why what was deployed last belongs in quarantine; "" where it does not.

    Only what a sync of the controller's own brought is judged: what a person asked for is that person's. `revision` is what Git has
    now, `health` the application's now, `mode` the controller's word where the application has none of its own.
    """
    if app.policy.automated is None or app.annotations.get(ON_DEGRADED, mode) == "off":
        return ""
    return _failed(app, revision) or (_degraded(app, revision, now) if health == "Degraded" else "")


def _failed(app: Application, revision: str) -> str:
    attempt = last_attempt(app.status)
    if attempt is None or attempt.revision != revision or attempt.phase not in (Phase.FAILED, Phase.ERROR):
        return ""
    operation = (app.status.get("operationState") or {}).get("operation") or {}
    sync = operation.get("sync") or {}
    if not (operation.get("initiatedBy") or {}).get("automated") or sync.get("resources"):
        return ""
    return "" if attempt.message.startswith(_TERMINATED) else f"its sync failed: {attempt.message}"


def _degraded(app: Application, revision: str, now: float) -> str:
    history = [entry for entry in app.status.get("history") or () if isinstance(entry, dict)]
    if not history or joined(told_list(history[-1])) != revision:
        return ""
    last = history[-1]
    begun, ended = parse(str(last.get("deployStartedAt", ""))), parse(str(last.get("deployedAt", "")))
    if ended is None or not (last.get("initiatedBy") or {}).get("automated"):
        return ""
    window = duration(app.annotations.get(WINDOW, "")) or DEFAULT_WINDOW
    before = app.status.get("health") or {}
    since = parse(str(before.get("lastTransitionTime", "")))
    unwell = before.get("status") == "Degraded" and since is not None and since < (begun or ended)
    if unwell or now - ended > window:
        return ""
    return f"the application became Degraded within {window:g} s after it was deployed"


def way_back(app: Application, revision: str, *, mode: str) -> tuple[str, ...]:
    """The revisions of the last deployment that was another one, of the same sources; none where it is to stay as it is."""
    if app.annotations.get(ON_DEGRADED, mode) != "rollback":
        return ()
    return last_other(app, revision)


def last_other(app: Application, revision: str) -> tuple[str, ...]:
    """The same, whatever the annotation says."""
    for entry in reversed(app.status.get("history") or ()):
        found = told_list(entry) if isinstance(entry, dict) else ()
        if len(found) == len(app.sources) and joined(found) != revision and _same_sources(entry, app.sources):
            return found
    return ()


def _same_sources(entry: Mapping[str, Any], sources: tuple[Source, ...]) -> bool:
    several, one = entry.get("sources"), entry.get("source")
    told = several if isinstance(several, list) and several else [one]
    keys = ("repoURL", "path", "chart")
    return [[(raw or {}).get(key) for key in keys] for raw in told] == [
        [source.raw.get(key) for key in keys] for source in sources
    ]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
