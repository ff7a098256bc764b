"""`kilde app diff`: what a sync would change."""

import asyncio

import click

from kilde.cli import output as out
from kilde.cli.applications import settings
from kilde.cli.target import Target, target_options

FOUND = 1


@click.command(epilog="Example: kilde app diff web --data-dir state", short_help="What a sync would change.")
@click.argument("name")
@target_options
@click.option("--revision", default="", help="Another revision than the Application's.")
@out.output_option
def command(*, name: str, target: Target, revision: str, output: str) -> int:
    """Prints how NAME in the cluster differs from Git, as kubectl diff does. Exit code 1 when there is a difference.

    Secret values are not shown: runs of + of equal length stand for equal values.
    """
    from kilde.wiring.looking import app_diff

    sha, found = asyncio.run(app_diff(settings(target), name, revision=revision))
    if output:
        changes = [
            {
                "object": str(one.change.ref),
                "action": str(one.change.action),
                "why": one.change.why,
                "origin": one.origin,
                "diff": one.text,
            }
            for one in found
        ]
        out.data({"revision": sha, "changes": changes}, output)
    else:
        for one in found:
            origin = f", {one.origin}" if one.origin else ""
            out.heading(f"# {one.change.action} {one.change.ref}: {one.change.why}{origin}")
            if one.text:
                out.unified(one.text)
    return FOUND if found else 0
