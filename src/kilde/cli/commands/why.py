"""`kilde why`: whether and why a file of the repository touches an application."""

import asyncio

import click

from kilde.cli import output as out
from kilde.cli.applications import settings
from kilde.cli.commands.app.listing import short
from kilde.cli.printable import printable
from kilde.cli.target import Target, target_options

UNTOUCHED = 1


@click.command(
    epilog="Example: kilde why web apps/base/deployment.yaml --data-dir state",
    short_help="Whether and why a file touches an application.",
)
@click.argument("name", metavar="APP")
@click.argument("file")
@target_options
@click.option("--revision", default="", help="Another revision than the Application's.")
@out.output_option
def command(*, name: str, file: str, target: Target, revision: str, output: str) -> int:
    """Tells whether FILE, a path from the root of the repository, is part of what APP is rendered from, and how it comes to be read.

    A file that is not there touches APP where rendering looked for it. Exit code 0: it touches; 1: it does not; 3: it cannot be told.
    """
    from kilde.wiring.looking import app_why

    answer = asyncio.run(app_why(settings(target), name, file, revision=revision))
    found = answer.why
    if output:
        steps = [{"place": str(step.place), "field": step.field, "says": step.says} for step in found.steps]
        told = {"application": name, "file": file, "revision": answer.revision, "touches": found.touches}
        out.data({**told, "reason": found.reason, "steps": steps, "failure": answer.failure}, output)
    else:
        verb = "touches" if found.touches else "does not touch"
        click.echo(printable(f"{file} {verb} {name} at {short(answer.revision)}: {found.reason}"))
        for step in found.steps:
            click.echo(printable(f"  {step.place}: {step.field}: {step.says}"))
        if answer.failure:
            click.echo(printable(f"  (it is not rendered to its end: {answer.failure})"))
    return 0 if found.touches else UNTOUCHED
