"""`kilde app deps`: who waits for whom, and how each is."""

import asyncio
import time

import click

from kilde.cli import output as out
from kilde.cli.applications import applications, at, called, under
from kilde.cli.commands.app.listing import health_of, waits
from kilde.cli.printable import printable
from kilde.cli.target import Target, others_option, target_options
from kilde.core.apps.application import read_application
from kilde.core.apps.dependencies.drawing import Node, cluster_of, dot, mermaid, nodes_of, tree
from kilde.core.apps.dependencies.drawing import under as reached_from
from kilde.core.apps.names import instance_name, place_of, said
from kilde.core.basics.errors import KildeError
from kilde.core.basics.reading import did_you_mean
from kilde.core.basics.values import Object
from kilde.core.objects.ref import ObjectRef

_FORMATS = {"mermaid": mermaid, "dot": dot}


@click.command(
    epilog="Example: kilde app deps shop --data-dir state --format mermaid",
    short_help="Draw who waits for whom.",
)
@click.argument("name", default="")
@target_options
@others_option("Where else Applications may be, as the controller was told")
@click.option(
    "--format", "form", type=click.Choice(["tree", *_FORMATS]), default="tree", show_default=True, help="How to draw."
)
@out.output_option
def command(*, name: str, target: Target, application_namespaces: str, form: str, output: str) -> None:
    """Draws what NAME (all that wait: without a name) waits for before it is synced: the annotation kilde.dev/depends-on."""
    apps = asyncio.run(_all(target, application_namespaces))
    found = nodes(apps, now=time.time(), home=target.namespace)
    if name:
        namespace, own = place_of(name, target.namespace)
        name = said(instance_name(namespace, own, target.namespace))
        known = [called(app, target.namespace) for app in apps]
        if name not in known:
            near = did_you_mean(name, known)
            raise KildeError(f"no Application of that name in namespace {namespace}{near}", about=name)
        found = reached_from(found, name) or [Node(name=name, state=_state(apps[known.index(name)], time.time()))]
    if output:
        out.data([{"name": n.name, "state": n.state, "waitsFor": [to for to, _ in n.below]} for n in found], output)
    elif not found:
        click.echo("no application waits for another", err=True)
    else:
        for line in _FORMATS[form](found) if form in _FORMATS else tree(found, name):
            click.echo(printable(line))


async def _all(target: Target, others: str) -> list[Object]:
    async with applications(target) as apps:
        return await apps.looked_after(others)


def nodes(apps: list[Object], *, now: float, home: str) -> list[Node]:
    """The nodes of these Applications, as the cluster has them; `now` in seconds since the epoch, `home` the controller's namespace."""
    read = [read_application(app, home=home) for app in apps]
    owners = {
        (cluster_of(one), ObjectRef(*(at(item, key) for key in ("group", "kind", "namespace", "name")))): one.name
        for one, app in zip(read, apps, strict=True)
        for item in under(app, "status", "resources") or ()
    }
    states = {called(app, home): _state(app, now) for app in apps}
    return nodes_of(read, owners, states)


def _state(app: Object, now: float) -> str:
    waiting = waits(app, now)
    return f"{at(app, 'status', 'sync', 'status') or 'Unknown'}, {health_of(app)}" + (f", {waiting}" if waiting else "")
