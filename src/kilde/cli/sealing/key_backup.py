"""Backups of private keys: read from where keys lie, written to one locked file, read from it, and stored again."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import click

from kilde.cli.sealing.passphrase import passphrase
from kilde.cli.target import Target, target_options
from kilde.core.basics.errors import InvalidInput
from kilde.core.secrets import archive, keys
from kilde.core.secrets.key_home import read_key_home
from kilde.core.secrets.keys import SealingKey
from kilde.core.secrets.stored import StoredKey
from kilde.ports.keys import KeyStore


def home_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where the keys lie; the command gets `target`, `space` and `home`."""
    command = click.option(
        "--controller-namespace",
        "space",
        default="kube-system",
        show_default=True,
        help="Where the cluster has its keys.",
    )(command)
    command = click.option(
        "--seal-keys",
        "home",
        default="secrets",
        show_default=True,
        metavar="secrets|file:PATH",
        help="As kilde up has it.",
    )(command)
    return target_options(command)


def of_home(target: Target, space: str, home: str) -> list[StoredKey]:
    """The active keys. KildeError."""

    async def load() -> list[StoredKey]:
        async with _opened(target, space, home) as store:
            return await store.load()

    return asyncio.run(load())


def store(target: Target, space: str, home: str, wanted: Sequence[StoredKey]) -> list[str]:
    """Stores keys; gives their names there. KildeError."""

    async def add() -> list[str]:
        async with _opened(target, space, home) as kept:
            return [await kept.add(key.private, key.certificate) for key in wanted]

    return asyncio.run(add())


def read(file: Path) -> list[StoredKey]:
    """The keys of a backup. InvalidInput."""
    try:
        with file.open("rb") as opened:
            data = opened.read(archive.LARGEST + 1)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", about=str(file)) from None
    if len(data) > archive.LARGEST:
        raise InvalidInput(f"is larger than {archive.LARGEST >> 20} MiB", about=str(file))
    return archive.unlock(data, passphrase(), about=str(file))


def refuse_existing(file: Path, *, force: bool) -> None:
    """InvalidInput if the file is there and was not to be written over."""
    if not force and os.path.lexists(file):
        raise InvalidInput("is there already", about=str(file), hint="give another name, or --force")


def write(file: Path, stored: Sequence[StoredKey], *, force: bool) -> None:
    """A new file of mode 0600, there whole or not at all. InvalidInput."""
    from kilde.adapters.keys.encrypted_file import sync_folder, write_private

    if not stored:
        raise InvalidInput("there is no key to export", hint="start the controller, which makes one")
    data = archive.lock(stored, passphrase(twice=True), os.urandom)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        write_private(unfinished, data)
        if force:
            unfinished.replace(file)
        else:
            os.link(unfinished, file)  # unlike a rename, this never writes over what came meanwhile
        sync_folder(file.parent)
    except FileExistsError:
        refuse_existing(file, force=False)
        raise
    except OSError as error:
        raise InvalidInput(f"cannot be written: {error.strerror}", about=str(file)) from None
    finally:
        unfinished.unlink(missing_ok=True)


def sealing_key(stored: StoredKey) -> SealingKey:
    """The key, read. InvalidInput; no message holds a part of it."""
    private = keys.read_private_key(stored.private, about=stored.name)
    return SealingKey(private, keys.read_certificate(stored.certificate, about=stored.name), stored.name)


@contextlib.asynccontextmanager
async def _opened(target: Target, space: str, home: str) -> AsyncIterator[KeyStore]:
    from kilde.wiring import open_cluster
    from kilde.wiring.key_stores import open_key_file, open_key_store

    place = read_key_home(home)
    if place.file:
        yield open_key_file(place, passphrase())
        return
    cluster = open_cluster(target.kubeconfig, context=target.context)
    try:
        yield open_key_store(place, b"", cluster, space)
    finally:
        await cluster.close()
