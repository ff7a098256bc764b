"""`kilde app delete`: an application, with what it deployed or without."""

import asyncio
import sys

import click

from kilde.cli.applications import Applications, applications, at, persistently, under
from kilde.cli.parameters import DURATION
from kilde.cli.target import Target, target_options
from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object

_CASCADE = "resources-finalizer.argocd.argoproj.io"
_OURS = (_CASCADE, f"{_CASCADE}/foreground", f"{_CASCADE}/background")


@click.command(epilog="Example: kilde app delete web --data-dir state --yes", short_help="Delete an application.")
@click.argument("name")
@target_options
@click.option(
    "--cascade/--no-cascade", default=True, show_default=True, help="Whether what it deployed is deleted too."
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until it is gone.")
@click.option("--timeout", type=DURATION, default="5m", show_default=True, help="How long to wait.")
def command(*, name: str, target: Target, cascade: bool, yes: bool, wait: bool, timeout: float) -> None:
    """Deletes NAME: with everything it deployed, or, with --no-cascade, leaving that in place."""
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("say --yes where nobody can be asked")
    asyncio.run(_delete(target, name, cascade=cascade, ask=not yes, patience=timeout if wait else None))
    click.echo(f"deleted {name}" if wait else f"asked for the deletion of {name}")


async def _delete(target: Target, name: str, *, cascade: bool, ask: bool, patience: float | None) -> None:
    async with applications(target) as apps:
        app = await apps.get(name)
        if ask:
            click.confirm(question(name, app, target, cascade=cascade), abort=True)
        await delete(apps, name, app, cascade=cascade)
        if patience is None:
            return
        try:
            await apps.until({name}, lambda _name, found: found is None, patience=patience)
        except TimeoutError:
            hint = f"it goes on; see kilde app get {name}, and whether a controller runs"
            raise KildeError(f"it was not gone within {patience:g} s", about=name, hint=hint) from None


def question(name: str, app: Object, target: Target, *, cascade: bool) -> str:
    """What is asked first; it names the cluster, because the wrong one is how production gets lost."""
    count = len(under(app, "status", "resources") or ())
    objects = f"{count} {'object' if count == 1 else 'objects'}"
    what = f"Delete {name} and its {objects}" if cascade else f"Delete {name} and leave its {objects}"
    return f"{what}, in the cluster of {target.where}?"


async def delete(apps: Applications, name: str, asked: Object, *, cascade: bool) -> None:
    """Asks for the deletion of the Application that was asked about, whatever is written to it meanwhile; never of another of its name.

    It goes with the finalizer that it should have, or not at all: a parent that has one in Git puts it back within milliseconds.
    """

    async def attempt() -> None:
        app = await apps.get(name)
        if at(app, "metadata", "uid") != at(asked, "metadata", "uid"):
            raise KildeError("it was made anew meanwhile", about=name, hint=f"look at it first: kilde app get {name}")
        app = await _set_finalizer(apps, name, app, cascade=cascade)
        await apps.delete(name, resource_version=at(app, "metadata", "resourceVersion"))

    await persistently(attempt)


async def _set_finalizer(apps: Applications, name: str, app: Object, *, cascade: bool) -> Object:
    """The finalizer is what makes a deletion cascade: it is there if and only if it should."""
    now = [str(item) for item in under(app, "metadata", "finalizers") or ()]
    if cascade and any(item in _OURS for item in now):
        return app
    wanted = [*now, _CASCADE] if cascade else [item for item in now if item not in _OURS]
    if wanted == now:
        return app
    version = at(app, "metadata", "resourceVersion")
    return await apps.patch(name, {"metadata": {"resourceVersion": version, "finalizers": wanted}})
