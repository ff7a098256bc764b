"""`kilde secrets rotate`: everything sealed in a repository, sealed anew to the newest key, as one commit."""

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kilde.cli.sealing.key_store import Chosen
from kilde.cli.sealing.repository import options

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from kilde.core.secrets.in_files import Item

FOUND = 1


@click.command(epilog="Example: kilde secrets rotate --data-dir state --repo hello-config")
@options
@click.option(
    "--cert",
    default="",
    help="Seal to this certificate (another cluster's) instead of the newest key. Values for several get one recipient more.",
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be sealed anew.")
@click.option("--no-commit", is_flag=True, help="Write the files, and leave the commit to you.")
def command(*, repo: Path, chosen: Chosen, files: tuple[Path, ...], cert: str, dry_run: bool, no_commit: bool) -> int:
    """Seals the values anew that are sealed to older keys. Templates, scopes, comments and order stay as they are written.

    Nothing is pushed. Exit code 1 if there are values that no key opens; the others are sealed anew all the same.
    """
    from kilde.cli.sealing.certificate import public_key_at
    from kilde.cli.sealing.repository import Repository, holder, unopened
    from kilde.core.secrets import in_files, keys
    from kilde.core.secrets.in_files import Item
    from kilde.core.secrets.sealing import Sealer

    found = holder(chosen, files)
    repository = Repository(repo)
    items = repository.items(found)
    if cert:
        public = public_key_at(cert)
        name = keys.fingerprint(public)[:12]
    else:
        public, name = found.newest.private.public_key(), found.newest.name
    by_file: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.key is not None and not _has(item, public):
            by_file[item.found.document.file].append(item)
    changed = {
        file: in_files.resealed(repository.read(file), old, Sealer(public, os.urandom), keep=bool(cert))
        for file, old in by_file.items()
    }
    count = sum(map(len, by_file.values()))
    for file, old in sorted(by_file.items()):
        click.echo(f"{file}: {', '.join(item.name for item in old)}")
    if not changed:
        click.echo(f"everything that opens is sealed to {name}")
    elif dry_run:
        click.echo(f"{count} values would be sealed anew to {name}")
    else:
        message = f"Seal {count} values anew to {name}\n\nOnly the ciphertexts changed."
        made = repository.change(changed, message, commit=not no_commit)
        click.echo(f"{count} values sealed anew to {name}" + (f": commit {made[:12]}" if made else ""))
    lost = unopened(items)
    for each in lost:
        click.echo(f"nobody can open: {each['place']}: {each['item']}: {each['why']}", err=True)
    for text in repository.unread:
        click.echo(f"cannot be read: {text}", err=True)
    return FOUND if lost or repository.unread else 0


def _has(item: "Item", public: "RSAPublicKey") -> bool:
    """Whether a value is sealed to that key already."""
    from kilde.core.secrets import keys, recipients

    assert item.key is not None
    return item.key.fingerprint == keys.fingerprint(public) or recipients.key_id(public) in item.recipients
