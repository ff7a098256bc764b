"""A plan in a terminal."""

import click

from kilde.cli import output as out
from kilde.cli.planning.words import HEADINGS, MARKS, facts, headline, ordered, row, summary, untouched
from kilde.cli.printable import printable
from kilde.core.preview.model import AppPlan, Preview, Step

_COLOURS = {"create": out.GOOD, "update": out.WAITING, "replace": out.BAD, "prune": out.BAD, "hold": out.WAITING}


def show(preview: Preview) -> None:
    """Prints all of it."""
    for app in ordered(preview.applications):
        _application(app)
    click.echo(printable(headline(preview)))
    for line in filter(None, (untouched(preview),)):
        click.echo(line)
    for text in preview.not_judged:
        click.echo(f"not judged: {text}")


def _application(app: AppPlan) -> None:
    out.heading(f"# {app.name}: {summary(app)}")
    if app.error:
        click.secho(printable(f"  {app.error}\n"), fg=out.BAD)
        return
    out.fields((f"  {name}", text) for name, text in facts(app))
    for finding in app.findings:
        about = f"{finding.object}: " if finding.object else ""
        text = printable(f"  {finding.kind}: {about}{finding.text}")
        click.secho(text, fg=out.BAD if finding.grave else out.WAITING)
    if app.steps:
        click.echo()
        out.table(HEADINGS, [row(step) for step in app.steps])
    for step in app.steps:
        _step(step)
    click.echo()


def _step(step: Step) -> None:
    if step.action == "hook":
        return
    why = "" if step.fields else f": {' '.join(step.why.split())}"  # the fields tell it better
    origin = f", {step.origin}" if step.origin else ""
    health = f" [{step.health}]" if step.health and step.health != "Missing" else ""
    click.echo()
    line = printable(f"{MARKS[step.action]} {step.ref}{health}{why}{origin}")
    click.secho(line, fg=_COLOURS[step.action])
    for field in step.fields:
        owner = f"  (last written by {field.owner})" if field.owner else ""
        click.echo(printable(f"    {field.path}: {field.live or '(none)'} → {field.wanted or '(none)'}{owner}"))
