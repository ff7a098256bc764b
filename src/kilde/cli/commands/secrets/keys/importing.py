"""`kilde secrets keys import`: a backup's keys put where they are missing, or, with --verify, only tried."""

from pathlib import Path

import click

from kilde.cli.sealing.key_backup import identity_option
from kilde.cli.sealing.key_store import Chosen, key_options
from kilde.core.secrets.keys import SealingKey
from kilde.ports.keys import KeyStore

FOUND = 1


@click.command(epilog="Example: kilde secrets keys import --data-dir state --verify keys.locked")
@key_options
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Store nothing: say what the backup holds, and whether it is complete.")
@click.option(
    "--opens",
    type=click.Path(path_type=Path),
    help="With --verify: ask no cluster, and open every value of the SealedSecrets in this file with the backup's keys.",
)
@identity_option
def command(*, chosen: Chosen, file: Path, verify: bool, opens: Path | None, identities: tuple[Path, ...]) -> int:
    """Stores the keys of FILE that are not there yet; a running controller takes them up at once.

    With --verify nothing is stored. Exit code 1 if the backup lacks a key that is there, has one that is not, or a value does not open.
    """
    from kilde.cli.sealing import key_backup

    if opens is not None and not verify:
        raise click.UsageError("--opens needs --verify")
    kept = {
        key.fingerprint: (stored, key)
        for stored in key_backup.read(file, identities)
        for key in (key_backup.sealing_key(stored),)
    }
    if opens is not None:
        return _try(tuple(key for _, key in kept.values()), opens)
    there = {key.fingerprint: key.name for key in map(key_backup.sealing_key, chosen.load())}
    missing = [stored for mark, (stored, _) in kept.items() if mark not in there]
    if not verify:

        async def add(store: KeyStore) -> list[str]:
            return [await store.add(key.private, key.certificate) for key in missing]

        names = chosen.use(add) if missing else []
        for stored, name in zip(missing, names, strict=True):
            click.echo(f"{stored.name}: stored as {name}")
        click.echo(
            f"{len(missing)} of {len(kept)} keys stored{'; the others were there' if len(missing) < len(kept) else ''}"
        )
        return 0
    for mark, (stored, _) in kept.items():
        click.echo(f"{stored.name}: {'is there as ' + there[mark] if mark in there else 'is in the backup only'}")
    lacking = [name for mark, name in there.items() if mark not in kept]
    for name in lacking:
        click.echo(f"{name}: is not in the backup")
    return FOUND if missing or lacking else 0


def _try(keys: tuple[SealingKey, ...], file: Path) -> int:
    from kilde.cli.sealing.actions import read_file
    from kilde.core.basics.errors import InvalidInput
    from kilde.core.secrets.surveying import ENDINGS, survey

    if not file.name.endswith(ENDINGS):
        raise InvalidInput(f"is not named {', '.join(ENDINGS)}", about=str(file))
    found = survey([(str(file), read_file(str(file)))])
    if found.unread:
        raise InvalidInput(found.unread[0])
    items = list(found.items(keys))
    if not items:
        raise InvalidInput("holds no sealed value", about=str(file))
    for item in items:
        click.echo(f"{item.name}: {'opens with ' + item.key.name if item.key else 'does not open'}")
    return FOUND if any(item.key is None for item in items) else 0
