"""What a shadow saw, in a terminal, as Markdown and as JSON."""

from collections.abc import Iterator

import click

from kilde.cli import output as out
from kilde.cli.planning.markdown import code
from kilde.cli.printable import printable
from kilde.core.migrate.shadow import AppShadow, Shadow

_WHOLE = ("sync.status", "sync.revision", "sync.revisions", "health.status")


def show(shadow: Shadow, output: str) -> None:
    """Prints all of it."""
    if output == "json":
        import msgspec

        told = {**msgspec.to_builtins(shadow), "agrees": shadow.agrees}
        for app, one in zip(told["applications"], shadow.applications, strict=True):
            app["agrees"] = one.agrees
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    elif output == "markdown":
        click.echo("\n".join(_markdown(shadow)))
    else:
        _text(shadow)


def headline(shadow: Shadow) -> str:
    """What it comes to."""
    agree = sum(app.agrees for app in shadow.applications)
    return f"{agree} of {len(shadow.applications)} applications agree with {shadow.system} in every field"


def _text(shadow: Shadow) -> None:
    out.heading(f"shadow of {shadow.system} on {shadow.cluster}, {shadow.seconds:g} s; nothing was written")
    out.table(("APPLICATION", "AGREES", "SAYS", "COMPARED"), map(_row, shadow.applications))
    for app in shadow.applications:
        for field in app.differences:
            click.echo(printable(f"  {app.name} {field.name}: {shadow.system} {field.theirs}, Kilde {field.ours}"))
        for line in _why(app):
            click.echo(printable(f"  {app.name} {line}"))
        for name in app.passing:
            click.echo(printable(f"  {app.name} {name}: differed for a while, and agrees now"))
    click.echo(printable(headline(shadow)))


def _why(app: AppShadow) -> Iterator[str]:
    """Of an application that differs: what Kilde would do, and why it cannot tell."""
    if app.differences:
        yield from (f"would {change}" for change in app.changes)
        yield from app.errors


def _row(app: AppShadow) -> tuple[str, ...]:
    if app.silent:
        return app.name, "not compared", app.silent, "0"
    agree = len(app.fields) - len(app.differences)
    says = " ".join(
        field.ours[:7] if "revision" in field.name else field.ours for field in app.fields if field.name in _WHOLE
    )
    return app.name, f"{agree} of {len(app.fields)} fields", says, f"{app.compared} times"


def _markdown(shadow: Shadow) -> Iterator[str]:
    yield f"## Shadow of {shadow.system}\n"
    yield f"**{headline(shadow)}** ({code(shadow.cluster)}, {shadow.seconds:g} s; nothing was written)\n"
    yield "| application | agrees | says |\n| --- | --- | --- |"
    for app in shadow.applications:
        name, agrees, says, _ = _row(app)
        yield f"| {code(name, table=True)} | {agrees} | {code(says, table=True)} |"
    for app in shadow.applications:
        for field in app.differences:
            yield f"* {code(app.name)} {code(field.name)}: {shadow.system} {code(field.theirs)}, Kilde {code(field.ours)}"
        yield from (f"* {code(app.name)} {code(line)}" for line in _why(app))
