"""The kustomization file of the working folder: found, edited, and replaced in one step."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kilde.cli.like_kustomize import fail
from kilde.cli.printable import printable
from kilde.core.basics.errors import InvalidInput, KildeError

if TYPE_CHECKING:
    from kilde.core.render.kustomize.edit.fields import Change

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_LARGEST = 32 << 20  # bytes

Given = TypeVar("Given")


def find() -> Path:
    """The one kustomization file here. Raises InvalidInput for none, and for several."""
    found = [name for name in _NAMES if Path(name).exists()]
    if not found:
        raise InvalidInput(f"Missing kustomization file '{_NAMES[0]}'", hint="change into its folder first")
    if len(found) > 1:
        raise InvalidInput(f"Found multiple kustomization files: {', '.join(found)}", hint="delete all but one")
    if not Path(found[0]).is_file():
        raise InvalidInput("should be a file", about=found[0])
    return Path(found[0])


def edit(change: "Change", **more: Any) -> None:
    """Edits the file, or leaves it as it is and raises KildeError. What a person should know of is on standard error."""
    from kilde.core.render.kustomize.edit.editing import edit_kustomization

    path = find()
    content = read(path)
    edited = edit_kustomization(content, path.name, change, **more)
    for note in edited.notes:
        click.echo(printable(note), err=True)
    if edited.content != content:
        replace(path, edited.content)


def read(path: Path) -> bytes:
    """The content of a file. Raises InvalidInput for one that cannot be read."""
    try:
        if path.stat().st_size > _LARGEST:
            raise InvalidInput(f"is larger than {_LARGEST >> 20} MiB", about=str(path))
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", about=str(path)) from error


def replace(path: Path, content: bytes) -> None:
    """Puts new content into a file in one step: whoever reads it sees the old one or the new one, whole.

    A symlink stays one, mode and (where that is allowed) owner stay. Raises InvalidInput where it cannot be written; then
    nothing has changed.
    """
    target = path.resolve()
    new = target.with_name(f".{target.name}.{os.urandom(6).hex()}.new")
    try:
        before = target.stat()
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
            out.flush()
            with contextlib.suppress(PermissionError):  # a file that is not ours becomes ours, as git does it
                os.fchown(out.fileno(), before.st_uid, before.st_gid)
            os.fchmod(out.fileno(), before.st_mode & 0o7777)
            os.fsync(out.fileno())
        new.replace(target)
    except OSError as error:
        raise InvalidInput(f"cannot be written: {error.strerror}", about=str(path)) from error
    finally:
        new.unlink(missing_ok=True)


def told(action: Callable[[], Given]) -> Given:
    """What an action gives; a failure that was expected ends the command with 1 and one line."""
    try:
        return action()
    except KildeError as error:
        where = ": ".join(part for part in (str(error.place or ""), error.about, error.what) if part)
        fail(where + (f" ({error.hint})" if error.hint else ""))
