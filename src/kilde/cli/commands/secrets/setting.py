"""`kilde secrets set`: one value, from stdin or a prompt, sealed into its file and committed."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kilde.cli.sealing.key_store import Chosen
from kilde.cli.sealing.repository import options
from kilde.cli.target import Target

if TYPE_CHECKING:
    from kilde.cli.sealing.repository import Holder, Repository
    from kilde.core.secrets.in_files import Found
    from kilde.core.secrets.sealing import Sealer


@click.command(epilog="Example: kilde secrets set hello-production/db password --data-dir state --repo hello-config")
@click.argument("secret", metavar="APP/SECRET")
@click.argument("key")
@options
@click.option(
    "--cert",
    "certs",
    multiple=True,
    help="Of each further recipient, where the SealedSecret has several; may be repeated.",
)
@click.option("--exact", is_flag=True, help="Keep a newline at the end of the value.")
@click.option("--no-commit", is_flag=True, help="Write the file, and leave the commit to you.")
def command(
    *,
    secret: str,
    key: str,
    repo: Path,
    chosen: Chosen,
    files: tuple[Path, ...],
    certs: tuple[str, ...],
    exact: bool,
    no_commit: bool,
) -> None:
    """Seals a value for KEY of the SealedSecret SECRET of application APP, to the newest key, and commits it. Nothing is pushed."""
    from kilde.cli.sealing.certificate import public_key_at
    from kilde.cli.sealing.repository import Repository, holder
    from kilde.core.secrets import in_files
    from kilde.core.secrets.in_files import Item
    from kilde.core.secrets.sealing import Sealer

    app, slash, name = secret.partition("/")
    if not slash or not app or not name:
        raise click.UsageError("say which as APP/SECRET")
    path, namespace = asyncio.run(_application(chosen.target, app))
    repository = Repository(repo)
    found = _one(repository, path, namespace, name)
    keys = holder(chosen, files)
    newest = keys.newest
    sealer = Sealer(newest.private.public_key(), os.urandom, others=[public_key_at(cert) for cert in certs])
    _check_recipients(found, sealer, keys)
    (placed,) = found.placed([namespace])
    text = sealer.item(placed, key, _value(exact=exact))
    file = found.document.file
    data = repository.read(file)
    is_there = key in found.items
    put = in_files.replaced(data, Item(found, key, None), text) if is_there else in_files.added(data, found, key, text)
    made = repository.change({file: put}, f"Set {key} of {name} for {app}", commit=not no_commit)
    click.echo(f"{file}: {key} sealed to {newest.name}" + (f": commit {made[:12]}" if made else ""))


def _check_recipients(found: "Found", sealer: "Sealer", holder: "Holder") -> None:
    """InvalidInput if the object is sealed to a key that a new value would not be sealed to, or the other way round."""
    from kilde.core.basics.errors import InvalidInput
    from kilde.core.secrets import recipients

    if not recipients.is_marked(found.sealed["metadata"]):
        if len(sealer.keys) > 1:
            hint = "leave out --cert, or seal the whole Secret anew for several: kilde seal --cert A --cert B"
            raise InvalidInput("its values have one recipient", about=str(found.place), hint=hint)
        return
    ours = {recipients.key_id(key.private.public_key()) for key in holder.keys}
    named = {each for text in found.items.values() for each in recipients.recipients_of_text(text)}
    if lacking := named - ours - set(sealer.keys):
        names = ", ".join(sorted(each.hex() for each in lacking))
        hint = "give the certificate of each with --cert"
        raise InvalidInput(f"is sealed to further keys: {names}", about=str(found.place), hint=hint)


def _value(*, exact: bool) -> bytes:
    """Stdin, without one newline at its end; a prompt that shows nothing where a person sits there."""
    if sys.stdin.isatty():
        return str(click.prompt("Value", hide_input=True, confirmation_prompt=True)).encode()
    data = sys.stdin.buffer.read()
    return data if exact else data.removesuffix(b"\n").removesuffix(b"\r")


async def _application(target: Target, name: str) -> tuple[str, str]:
    """Its folder in the repository, and the namespace it deploys to. KildeError."""
    import msgspec

    from kilde.core.apps.application import read_application
    from kilde.core.basics.errors import KildeError
    from kilde.engine.fleet.applications import APPLICATIONS
    from kilde.wiring.cluster import open_cluster

    cluster = open_cluster(target.kubeconfig, context=target.context)
    try:
        raw = await cluster.get(APPLICATIONS, target.namespace, name)
    finally:
        await cluster.close()
    if raw is None:
        raise KildeError("there is no such application", about=f"{target.namespace}/{name}", hint="kilde app list")
    app = read_application(msgspec.json.decode(raw))
    return (app.source.path if app.source else "").strip("./"), app.destination.namespace


def _one(repository: "Repository", path: str, namespace: str, name: str) -> "Found":
    """The SealedSecret that is meant: of that name and namespace, in the application's folder if there are several. KildeError."""
    from kilde.core.basics.errors import KildeError

    named = [
        found
        for here in repository.sealed().values()
        for found in here
        if found.name == name and found.namespace in ("", namespace)
    ]
    inside = [found for found in named if found.document.file.startswith(f"{path}/")]
    chosen = inside or named
    if len(chosen) != 1:
        places = ", ".join(str(found.place) for found in chosen)
        what = f"is in several places: {places}" if chosen else f"there is no SealedSecret of that name for {namespace}"
        raise KildeError(
            what,
            about=name,
            hint="make one with kilde seal" if not chosen else "edit the file with kilde seal --merge-into",
        )
    return chosen[0]
