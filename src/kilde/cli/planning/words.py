"""The words that text, Markdown and HTML of a plan share."""

from collections.abc import Sequence

from kilde.core.preview.model import AppPlan, Preview, Step, totals
from kilde.core.source.revision import shortened

_VERBS = {
    "create": "to create",
    "update": "to change",
    "replace": "to delete and make anew",
    "prune": "to delete",
    "hold": "no longer in Git, and kept",
    "hook": "hooks to run",
}
MARKS = {"create": "+", "update": "~", "replace": "±", "prune": "-", "hold": "!", "hook": "»"}


def headline(preview: Preview) -> str:
    """One sentence for all of it."""
    changed, failed = len(preview.changed), len(preview.failed)
    if not changed and not failed:
        return "Nothing would change."
    counts = ", ".join(f"{number} {_VERBS[action]}" for action, number in totals(preview).items() if number)
    parts = [f"{_apps(changed)} would change: {counts}."] if changed else []
    if failed:
        parts.append(f"{_apps(failed)} could not be planned.")
    return " ".join(parts)


def _apps(number: int) -> str:
    return f"{number} application{'' if number == 1 else 's'}"


def untouched(preview: Preview) -> str:
    """About those that are not in the plan; "" where there are none."""
    if not preview.untouched:
        return ""
    reads, was = ("reads", "was") if preview.untouched == 1 else ("read", "were")
    return f"{_apps(preview.untouched)} {reads} nothing that the commit changes, and {was} not rendered."


def summary(app: AppPlan) -> str:
    """What would be done to one application, in a line."""
    if app.error:
        return "could not be planned"
    counts = [f"{app.count(action)} {word}" for action, word in _VERBS.items() if app.count(action)]
    return ", ".join(counts) if app.changes else "nothing would change"


def facts(app: AppPlan) -> list[tuple[str, str]]:
    """What it is made of, and how it is before: names and values."""
    out = []
    for source in app.sources:
        now, was = shortened(source.sha), shortened(source.base)
        moved = f"{was} → {now}" if was and source.base != source.sha else now
        out.append(("source", f"{source.url} {source.path} at {source.word} ({moved})"))
    out.append(("destination", app.destination))
    out.append(("before", ", ".join(part for part in (app.sync, app.health) if part) or "not known"))
    if app.follows:
        out.append(("as it will be", f"once application {app.follows} is synced, which changes its spec"))
    if app.images:
        out.append(("new images", ", ".join(app.images)))
    if app.changes:
        out.append(("plan digest", app.digest))
    return out


HEADINGS = ("PHASE", "WAVE", "KIND", "NAME", "ACTION")


def row(step: Step) -> tuple[str, str, str, str, str]:
    """A line of the table of the order."""
    kind = f"{step.kind}.{step.group}" if step.group else step.kind
    name = f"{step.namespace}/{step.name}" if step.namespace else step.name
    late = " (before this commit already)" if step.cause == "before" and step.action != "hook" else ""
    return step.phase, str(step.wave), kind, name, f"{step.action}{late}"


def ordered(apps: Sequence[AppPlan]) -> list[AppPlan]:
    """Those with something grave first, then what changes, then the rest."""
    return sorted(
        apps, key=lambda app: (not (app.error or any(one.grave for one in app.findings)), not app.changes, app.name)
    )
