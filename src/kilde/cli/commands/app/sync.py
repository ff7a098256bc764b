"""`kilde app sync`: have an application brought to what Git says, now."""

import asyncio
from pathlib import Path
from typing import Any

import click

from kilde.cli import output as out
from kilde.cli.applications import applications, at, under
from kilde.cli.commands.app.get import results
from kilde.cli.identity import who
from kilde.cli.parameters import DURATION
from kilde.cli.target import Target, target_options
from kilde.core.apps.operation import DEPENDS, IGNORED
from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object

FOUND = 1


class ResourceName(click.ParamType[dict[str, str]]):
    """`GROUP:KIND:NAME` or `GROUP:KIND:NAMESPACE/NAME`; the core group is empty."""

    name = "resource"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, str]:
        group, _, rest = str(value).partition(":")
        kind, colon, name = rest.partition(":")
        namespace, _, name = name.rpartition("/")
        if not colon or not kind or not name:
            self.fail(f"'{value}' is not GROUP:KIND:NAME, such as apps:Deployment:web or :ConfigMap:web", param, ctx)
        found = {"group": group, "kind": kind, "name": name, "namespace": namespace}
        return {key: text for key, text in found.items() if text}


@click.command(
    epilog="Example: kilde app sync web --data-dir state --prune", short_help="Bring an application to what Git says."
)
@click.argument("name")
@target_options
@click.option("--revision", default="", help="Another revision than the Application's.")
@click.option("--prune", is_flag=True, help="Delete what is no longer in Git.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option(
    "--resource",
    "resources",
    type=ResourceName(),
    multiple=True,
    metavar="GROUP:KIND:NAME",
    help="Only this object; may be given several times.",
)
@click.option("--sync-option", "options", multiple=True, metavar="KEY=VALUE", help="Such as Replace=true.")
@click.option(
    "--local",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The manifests of this folder instead of Git's; not for an application that syncs by itself.",
)
@click.option("--ignore-dependencies", is_flag=True, help="Do not wait for what it depends on (kilde.dev/depends-on).")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the end of it.")
@click.option("--timeout", type=DURATION, default="5m", show_default=True, help="How long to wait.")
@out.output_option
def command(
    *, name: str, target: Target, local: Path | None, wait: bool, timeout: float, output: str, **wanted: Any
) -> int:
    """Asks for a sync of NAME and waits until it is over. Exit code 1 when it failed."""
    operation = make_operation(**wanted)
    app = asyncio.run(_sync(target, name, operation, local, wait, timeout))
    if not wait:
        click.echo(f"asked for a sync of {name}")
        return 0
    state = under(app, "status", "operationState") or {}
    if output:
        out.data(state, output)
    else:
        rows = list(results(app))
        if rows:
            out.table(("KIND", "NAMESPACE", "NAME", "RESULT", "MESSAGE"), rows)
        out.verdict(at(state, "phase"), at(state, "message"))
    return 0 if at(state, "phase") == "Succeeded" else FOUND


def make_operation(
    *,
    revision: str,
    prune: bool,
    dry_run: bool,
    resources: tuple[dict[str, str], ...],
    options: tuple[str, ...],
    ignore_dependencies: bool = False,
) -> Object:
    """The `operation` block, as Argo CD's clients write it."""
    sync: Object = {
        "revision": revision,
        "prune": prune,
        "dryRun": dry_run,
        "resources": list(resources),
        "syncOptions": list(options),
    }
    asked = {"initiatedBy": {"username": who()}, "sync": {key: value for key, value in sync.items() if value}}
    return {**asked, "info": [{"name": DEPENDS, "value": IGNORED}]} if ignore_dependencies else asked


async def _sync(
    target: Target, name: str, operation: Object, local: Path | None, wait: bool, patience: float
) -> Object:
    async with applications(target) as apps:
        if local is not None:
            from kilde.core.render.kustomize.settings import read_kustomize_settings
            from kilde.wiring.looking import rendered_here

            kustomize = read_kustomize_settings(await apps.config())
            manifests = await asyncio.to_thread(rendered_here, await apps.get(name), local, kustomize)
            operation["sync"]["manifests"] = list(manifests)
        await apps.begin(name, operation)
        if not wait:
            return {}

        def over(_name: str, app: Object | None) -> bool:
            return app is None or under(app, "operation") is None

        try:
            app = (await apps.until({name}, over, patience=patience))[name]
        except TimeoutError:
            hint = "it goes on; kilde app get says how it is"
            raise KildeError(f"the sync was not over within {patience:g} s", about=name, hint=hint) from None
        if app is None:
            raise KildeError("it was deleted meanwhile", about=name)
        return app
