"""Backups of private keys: written to one file that a passphrase or age recipients lock, and read from it."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from kilde.cli.no_core_dumps import forbid_core_dumps
from kilde.cli.sealing.passphrase import passphrase
from kilde.core.basics.errors import InvalidInput
from kilde.core.secrets import archive, keys
from kilde.core.secrets.keys import SealingKey
from kilde.core.secrets.stored import StoredKey


def read(file: Path, identities: Sequence[Path] = ()) -> list[StoredKey]:
    """The keys of a backup, opened by a passphrase or, where it is locked to age recipients, by these files of identities. InvalidInput."""
    from kilde.adapters.keys.age import is_locked, unlocked

    data = _bytes(file)
    if is_locked(data):
        forbid_core_dumps()
        plain = unlocked(data, [_bytes(each).decode("utf-8", "replace") for each in identities], about=str(file))
        try:
            found = archive.unpack(plain)
        except msgspec.DecodeError:
            raise InvalidInput("holds no sealing keys", about=str(file)) from None
    else:
        found = archive.unlock(data, passphrase(), about=str(file))
    return [key for key in found if not key.retired]


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(archive.LARGEST + 1)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", about=str(file)) from None
    if len(data) > archive.LARGEST:
        raise InvalidInput(f"is larger than {archive.LARGEST >> 20} MiB", about=str(file))
    return data


def identity_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--identity`; the command gets `identities`."""
    return click.option(
        "--identity",
        "identities",
        type=click.Path(path_type=Path),
        multiple=True,
        help="A file of age identities that opens a backup locked to recipients; may be repeated.",
    )(command)


def refuse_existing(file: Path, *, force: bool) -> None:
    """InvalidInput if the file is there and was not to be written over."""
    if not force and os.path.lexists(file):
        raise InvalidInput("is there already", about=str(file), hint="give another name, or --force")


def write(file: Path, stored: Sequence[StoredKey], *, recipients: Sequence[str] = (), force: bool) -> None:
    """A new file of mode 0600, there whole or not at all; locked to age recipients, or with a passphrase. InvalidInput."""
    from kilde.adapters.keys.encrypted_file import sync_folder, write_private

    if not stored:
        raise InvalidInput("there is no key to export", hint="start the controller, which makes one")
    data = _locked(stored, recipients)
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


def _locked(stored: Sequence[StoredKey], recipients: Sequence[str]) -> bytes:
    from kilde.adapters.keys.age import locked

    if recipients:
        forbid_core_dumps()
        return locked(archive.pack(stored), recipients)
    return archive.lock(stored, passphrase(twice=True), os.urandom)


def sealing_key(stored: StoredKey) -> SealingKey:
    """The key, read. InvalidInput; no message holds a part of it."""
    private = keys.read_private_key(stored.private, about=stored.name)
    return SealingKey(private, keys.read_certificate(stored.certificate, about=stored.name), stored.name)
