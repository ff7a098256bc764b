"""References: `vault:MOUNT/NAME#KEY@VERSION`, where a value of a VaultSecret lies."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kilde.core.basics.errors import InvalidInput
from kilde.core.secrets.vault.place import Place, read_place

_SCHEME = "vault:"
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_LONGEST_KEY = 253  # characters


@dataclass(frozen=True, slots=True)
class Reference:
    """`key`: of the entry's map; `version` 0: whichever is the newest."""

    place: Place
    key: str
    version: int = 0


def read_reference(text: str, mounts: Iterable[str] = (), *, about: str) -> Reference:
    """`vault:secret/shop/db#password`, or with a version: `vault:secret/shop/db#password@3`. InvalidInput.

    A key with `@` in it needs the version behind it: what follows the last `@` is one if it is a number.
    """
    hint = "write vault:MOUNT/NAME#KEY, or vault:MOUNT/NAME#KEY@VERSION"
    if not text.startswith(_SCHEME):
        raise InvalidInput("is not a reference", about=about, hint=hint)
    path, sharp, rest = text.removeprefix(_SCHEME).partition("#")
    key, at, number = rest.rpartition("@")
    version = 0
    if at and _VERSION.fullmatch(number):
        version = int(number)
    elif at and number.isdecimal():
        raise InvalidInput(f"'{number[:12]}' is no version", about=about, hint="versions are counted from 1")
    else:
        key = rest
    if not sharp or not key or len(key) > _LONGEST_KEY or not key.isprintable():
        raise InvalidInput("names no key of the entry", about=about, hint=hint)
    return Reference(read_place(path, mounts, about=about), key, version)
