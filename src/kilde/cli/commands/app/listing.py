"""`kilde app list`: one line an application."""

import asyncio
import time

import click

from kilde.cli import output as out
from kilde.cli.applications import applications, at, called, revisions_of, sources_of, under
from kilde.cli.target import Target, target_options
from kilde.core.apps.dependencies.words import HOLDING, WAITING, waiting_since
from kilde.core.basics.moment import age, parse
from kilde.core.basics.values import Object

_HEADINGS = ("NAME", "PROJECT", "SYNC", "HEALTH", "REVISION", "PATH", "DESTINATION", "AGE")
_SHORT = 7


@click.command(
    "list",
    epilog="Example: kilde app list --data-dir state --project default",
    short_help="One line an application.",
)
@target_options
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Those of other namespaces, too.")
@click.option("--project", default="", help="Only those of this project.")
@out.output_option
def command(*, target: Target, project: str, everywhere: bool, output: str) -> None:
    """Lists the applications with their sync and health status."""
    found = [
        app for app in asyncio.run(_all(target, everywhere)) if project in ("", at(app, "spec", "project") or "default")
    ]
    if output:
        out.data(found, output)
        return
    if not found:
        click.echo(f"no applications in namespace {target.namespace}", err=True)
        return
    now = time.time()
    out.table(_HEADINGS, (row(app, now=now, home=target.namespace) for app in found))


async def _all(target: Target, everywhere: bool) -> list[Object]:
    async with applications(target) as apps:
        return await apps.all(everywhere=everywhere)


def row(app: Object, *, now: float, home: str = "") -> tuple[str, ...]:
    """The cells of one application; `now` in seconds since the epoch; `home`: the namespace that need not be named."""
    created = parse(at(app, "metadata", "creationTimestamp"))
    return (
        called(app, home),
        at(app, "spec", "project") or "default",
        ", ".join(filter(None, (at(app, "status", "sync", "status") or "Unknown", waits(app, now)))),
        health_of(app),
        ",".join(map(short, revisions_of(app))),
        ",".join(filter(None, (at(source, "path") or at(source, "chart") for source in sources_of(app)))),
        destination(app),
        age(now - created) if created is not None else "",
    )


def waits(app: Object, now: float) -> str:
    """`waits 2m`: its sync, or its deletion, waits for that long; "" where it does not."""
    for condition in under(app, "status", "conditions") or ():
        if at(condition, "type") in (WAITING, HOLDING):
            told = waiting_since(under(app, "status")) if at(condition, "type") == WAITING else None
            since = told or parse(at(condition, "lastTransitionTime"))
            return f"waits {age(now - since)}" if since is not None else "waits"
    return ""


def health_of(app: Object) -> str:
    """Its health; "Deleting" while its deletion is under way."""
    if under(app, "metadata", "deletionTimestamp"):
        return "Deleting"
    return at(app, "status", "health", "status") or "Unknown"


def destination(app: Object) -> str:
    """`cluster/namespace`; the cluster by name where it has one."""
    cluster = at(app, "spec", "destination", "name") or at(app, "spec", "destination", "server")
    if cluster == "https://kubernetes.default.svc":
        cluster = "in-cluster"
    return f"{cluster}/{at(app, 'spec', 'destination', 'namespace')}".rstrip("/")


def short(revision: str) -> str:
    """A commit's first seven letters; another revision as it is."""
    hexadecimal = len(revision) in (40, 64) and all(letter in "0123456789abcdef" for letter in revision)
    return revision[:_SHORT] if hexadecimal else revision
