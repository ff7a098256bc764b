"""Where private keys lie, as `--seal-keys` names it: Secrets of the cluster, or a file."""

from dataclasses import dataclass

from kilde.core.basics.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class KeyHome:
    """`file` "": in labelled Secrets of the cluster; else the path of a file that is locked with a passphrase."""

    file: str = ""


def read_key_home(text: str) -> KeyHome:
    """`secrets` or `file:PATH`. InvalidInput."""
    kind, colon, path = text.partition(":")
    if text == "secrets":
        return KeyHome()
    if kind == "file" and colon and path:
        return KeyHome(path)
    raise InvalidInput(f"'{text}' names no place for keys", about="--seal-keys", hint="give secrets, or file:PATH")
