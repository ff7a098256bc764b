"""Where private keys lie, as `--seal-keys` names it: Secrets of the cluster, a file, or Vault."""

from dataclasses import dataclass

from kilde.core.basics.errors import InvalidInput
from kilde.core.secrets.vault.place import segments

WORDS = "secrets|file:PATH|vault:MOUNT/NAME[,TRANSIT-MOUNT/KEY]"
_TRANSIT = "transit/kilde"


@dataclass(frozen=True, slots=True)
class KeyHome:
    """Nothing set: labelled Secrets of the cluster. `file`: the path of a file that is locked with a passphrase.

    `vault`: the place of a key/value engine below which the keys are, wrapped by the transit key `transit`.
    """

    file: str = ""
    vault: str = ""
    transit: str = ""


def read_key_home(text: str) -> KeyHome:
    """`secrets`, `file:PATH`, or `vault:MOUNT/NAME[,TRANSIT-MOUNT/KEY]`. InvalidInput."""
    kind, colon, rest = text.partition(":")
    if text == "secrets":
        return KeyHome()
    if kind == "file" and colon and rest:
        return KeyHome(rest)
    if kind == "vault" and colon and rest:
        place, comma, transit = rest.partition(",")
        transit = transit if comma else _TRANSIT
        if all(len(segments(each, about=f"--seal-keys: '{each}'")) > 1 for each in (place, transit)):
            return KeyHome(vault=place, transit=transit)
    hint = "give secrets, file:PATH, or vault:MOUNT/NAME with or without ,TRANSIT-MOUNT/KEY"
    raise InvalidInput(f"'{text}' names no place for keys", about="--seal-keys", hint=hint)
