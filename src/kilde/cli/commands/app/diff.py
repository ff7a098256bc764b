"""`kilde app diff`: what a sync would change."""

import asyncio
from typing import TYPE_CHECKING

import click

from kilde.cli import output as out
from kilde.cli.applications import settings
from kilde.cli.target import Target, target_options

if TYPE_CHECKING:
    from kilde.engine.beside.inspect import ObjectDiff

FOUND = 1


@click.command(epilog="Example: kilde app diff web --data-dir state", short_help="What a sync would change.")
@click.argument("name")
@target_options
@click.option("--revision", default="", help="Another revision than the Application's.")
@out.output_option
def command(*, name: str, target: Target, revision: str, output: str) -> int:
    """Prints how NAME in the cluster differs from Git, as kubectl diff does. Exit code 1 when there is a difference.

    Secret values are not shown: runs of + of equal length stand for equal values. One that stands in Git in plain
    text is marked `refuse`, where its project does not allow that.
    """
    from kilde.wiring.looking import app_diff

    found = asyncio.run(app_diff(settings(target), name, revision=revision))
    if output:
        changes = [
            {
                "object": str(one.change.ref),
                "action": _action(one),
                "why": _why(one),
                "origin": one.origin,
                "diff": one.text,
            }
            for one in found.objects
        ]
        out.data({"revision": found.revision, "changes": changes, "refused": found.refused}, output)
    else:
        for one in found.objects:
            origin = f", {one.origin}" if one.origin else ""
            out.heading(f"# {_action(one)} {one.change.ref}: {_why(one)}{origin}")
            if one.text:
                out.unified(one.text)
        if found.refused:
            click.echo(f"note: nothing of it is applied unless the controller allows it: {found.refused}", err=True)
    return FOUND if found.objects or found.refused else 0


def _action(one: "ObjectDiff") -> str:
    return "refuse" if one.refused else str(one.change.action)


def _why(one: "ObjectDiff") -> str:
    return "stands in Git in plain text" if one.refused else one.change.why
