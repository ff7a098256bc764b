"""`kilde app actions list`: what may be done to the objects of an application now."""

import asyncio

import click

from kilde.cli import output as out
from kilde.cli.applications import MANAGER, applications, settings
from kilde.cli.object_options import pick_options
from kilde.cli.target import Target, target_options
from kilde.core.actions.action import Offered
from kilde.core.objects.ref import ObjectRef
from kilde.engine.beside.object_actions import Pick

_HEADINGS = ("GROUP", "KIND", "NAMESPACE", "NAME", "ACTION", "DISABLED", "PARAMETERS")


@click.command(
    epilog="Example: kilde app actions list web --kind Deployment --data-dir state", short_help="What may be done now."
)
@click.argument("app", metavar="NAME")
@target_options
@pick_options
@out.output_option
def command(*, app: str, target: Target, pick: Pick, output: str) -> None:
    """Lists the actions of the objects of the application NAME."""
    found = [(ref, one) for ref, offers in asyncio.run(_listed(target, app, pick)) for one in offers]
    if output:
        out.data([_whole(ref, one) for ref, one in found], output)
    elif not found:
        click.echo("no object has an action", err=True)
    else:
        out.table(_HEADINGS, [_row(ref, one) for ref, one in found])


async def _listed(target: Target, name: str, pick: Pick) -> list[tuple[ObjectRef, list[Offered]]]:
    from kilde.wiring.object_actions import object_actions

    async with applications(target) as apps:
        body = await apps.get(name)
    async with object_actions(settings(target), body, manager=MANAGER, recorded=False) as (actions, _):
        return await actions.listed(pick)


def _row(ref: ObjectRef, one: Offered) -> tuple[str, ...]:
    disabled = "true" if one.disabled else "false"
    return ref.group, ref.kind, ref.namespace, ref.name, one.name, disabled, ",".join(one.parameters)


def _whole(ref: ObjectRef, one: Offered) -> dict[str, object]:
    return {
        "group": ref.group,
        "kind": ref.kind,
        "namespace": ref.namespace,
        "name": ref.name,
        "action": one.name,
        "disabled": one.disabled,
        "displayName": one.title,
        "iconClass": one.icon,
        "params": list(one.parameters),
    }
