"""The passphrase of a key file: from a file, the environment or a prompt, and never from the command line."""

import os
import sys
from pathlib import Path

import click

from kilde.cli.no_core_dumps import forbid_core_dumps
from kilde.core.basics.errors import InvalidInput

VARIABLE = "KILDE_KEYS_PASSPHRASE"
_LARGEST = 4096


def passphrase(*, twice: bool = False) -> bytes:
    """From the file that $KILDE_KEYS_PASSPHRASE_FILE names, $KILDE_KEYS_PASSPHRASE, or a prompt. InvalidInput."""
    forbid_core_dumps()
    name = os.environ.get(f"{VARIABLE}_FILE")
    if name:
        try:
            with Path(name).open("rb") as file:
                data = file.read(_LARGEST + 1)
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", about=name) from None
        found = data.removesuffix(b"\n").removesuffix(b"\r")
        if len(data) > _LARGEST:
            raise InvalidInput(f"is longer than {_LARGEST} bytes", about=name)
    else:
        found = os.environ.get(VARIABLE, "").encode()
    if not found and not name and sys.stdin.isatty():
        found = str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True)).encode()
    if not found:
        hint = f"name a file in {VARIABLE}_FILE, or set {VARIABLE}"
        raise InvalidInput("there is no passphrase for the keys", about=name or "", hint=hint)
    return found
