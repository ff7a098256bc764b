"""`kilde secrets retire`: old keys are put out of use when nothing that is watched needs them any more."""

from typing import TYPE_CHECKING

import click

from kilde.cli.sealing.key_store import Chosen, key_options
from kilde.cli.target import others_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilde.ports.keys import KeyStore

FOUND = 1
_SHOWN = 5  # places of a key that is needed


@click.command(epilog="Example: kilde secrets retire --data-dir state --dry-run")
@key_options
@others_option("Where Applications are, beside --namespace", unsaid="they are looked for in all namespaces")
@click.option("--dry-run", is_flag=True, help="Only tell what would be retired.")
@click.option(
    "--despite-unopened",
    is_flag=True,
    help="Retire although there are values that no key opens under any name that is known here (of another cluster, say).",
)
@click.option(
    "--undo",
    metavar="KEY",
    multiple=True,
    help="Put this retired key into use again, and do nothing else; may be repeated.",
)
def command(
    *, chosen: Chosen, application_namespaces: str, dry_run: bool, despite_unopened: bool, undo: tuple[str, ...]
) -> int:
    """Retires every key but the newest that no value needs: in no branch or tag that an Application watches, nor in the cluster.

    A retired key stays where it lies, marked; nothing opens with it until --undo. Seal values anew first (kilde secrets rotate), on every
    branch. Exit code 1 if a key is still needed or something could not be looked at.
    """
    from kilde.cli.sealing.repository import holder
    from kilde.cli.sealing.watching import look
    from kilde.core.secrets import keys

    if undo:
        chosen.use(lambda store: _revive(store, undo))
        return 0
    found = holder(chosen)
    newest, seen = found.newest, look(chosen.target, found.keys, application_namespaces)
    blocked = bool(seen.problems) or bool(seen.unopened and not despite_unopened)
    for text in seen.problems:
        click.echo(f"cannot be looked at: {text}", err=True)
    for each in seen.unopened:
        click.echo(f"nobody can open: {each['place']}: {each['item']}: {each['why']}", err=True)
    old = [key for key in keys.in_order(found.keys) if key is not newest]
    free = [] if blocked else [key.name for key in old if not seen.by_key.get(key.name)]
    if free and not dry_run:
        chosen.use(lambda store: _retire(store, free))
    kept = False
    for key in old:
        places = seen.by_key.get(key.name, [])
        if places:
            kept = True
            _tell_needed(key.name, places)
        elif blocked:
            click.echo(f"{key.name}: stays, as not everything was understood")
        elif dry_run:
            click.echo(f"{key.name}: would be retired")
    if not old:
        click.echo(f"{newest.name} is the only key")
    return FOUND if kept or (blocked and old) else 0


def _tell_needed(name: str, places: list[str]) -> None:
    click.echo(f"{name}: needed by {len(places)} value{'s' if len(places) > 1 else ''}")
    for place in places[:_SHOWN]:
        click.echo(f"  {place}")
    if len(places) > _SHOWN:
        click.echo(f"  and {len(places) - _SHOWN} more")


async def _retire(store: "KeyStore", names: "Sequence[str]") -> None:
    """One after the other, each told when it is done: the store may fail between two."""
    for name in names:
        await store.retire(name)
        click.echo(f"{name}: retired")


async def _revive(store: "KeyStore", names: "Sequence[str]") -> None:
    for name in names:
        await store.revive(name)
        click.echo(f"{name}: in use again")
