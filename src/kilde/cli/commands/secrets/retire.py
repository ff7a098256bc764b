"""`kilde secrets retire`: old keys are put out of use when nothing that is watched needs them any more."""

import asyncio

import click

from kilde.cli.target import Target, target_options

FOUND = 1
_SHOWN = 5  # places of a key that is needed


@click.command(epilog="Example: kilde secrets retire --data-dir state --dry-run")
@target_options
@click.option(
    "--controller-namespace", "space", default="kube-system", show_default=True, help="Where the cluster has its keys."
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be retired.")
@click.option(
    "--despite-unopened",
    is_flag=True,
    help="Retire although there are values that no key opens under any name that is known here (of another cluster, say).",
)
def command(*, target: Target, space: str, dry_run: bool, despite_unopened: bool) -> int:
    """Retires every key but the newest that no value needs: in no branch or tag that an Application watches, nor in the cluster.

    A retired key stays in its Secret, labelled `retired`; nothing opens with it until it is labelled `active` again. Seal values anew
    first (kilde secrets rotate), on every branch. Exit code 1 if a key is still needed or something could not be looked at.
    """
    from kilde.cli.sealing.repository import holder
    from kilde.cli.sealing.watching import look
    from kilde.core.secrets import keys

    found = holder(target, (), space)
    newest, seen = found.newest, look(target, found.keys)
    blocked = bool(seen.problems) or bool(seen.unopened and not despite_unopened)
    for text in seen.problems:
        click.echo(f"cannot be looked at: {text}", err=True)
    for each in seen.unopened:
        click.echo(f"nobody can open: {each['place']}: {each['item']}: {each['why']}", err=True)
    old = [key for key in keys.in_order(found.keys) if key is not newest]
    kept = False
    for key in old:
        places = seen.by_key.get(key.name, [])
        if places:
            kept = True
            _tell_needed(key.name, places)
        elif blocked:
            click.echo(f"{key.name}: stays, as not everything was understood")
        else:
            if not dry_run:
                asyncio.run(_retire(target, space, key.name))
            click.echo(f"{key.name}: {'would be retired' if dry_run else 'retired'}")
    if not old:
        click.echo(f"{newest.name} is the only key")
    return FOUND if kept or (blocked and old) else 0


def _tell_needed(name: str, places: list[str]) -> None:
    click.echo(f"{name}: needed by {len(places)} value{'s' if len(places) > 1 else ''}")
    for place in places[:_SHOWN]:
        click.echo(f"  {place}")
    if len(places) > _SHOWN:
        click.echo(f"  and {len(places) - _SHOWN} more")


async def _retire(target: Target, space: str, name: str) -> None:
    from kilde.wiring.watched import key_secrets

    async with key_secrets(target.kubeconfig, context=target.context, space=space) as store:
        await store.retire(name)
