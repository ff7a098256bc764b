"""Signatures of commits: who may sign, and what a check of one commit found."""

from dataclasses import dataclass
from enum import StrEnum


class Verified(StrEnum):
    """What is known of a commit's signature; the letters are git's (`%G?`)."""

    GOOD = "G"
    BAD = "B"
    """There is one, and it is not of this commit, or its key was revoked or had expired."""
    UNKNOWN = "E"
    """There is one, by a key that nobody has given us."""
    NONE = "N"


@dataclass(frozen=True, slots=True)
class Signers:
    """Who may sign: `ssh` as an allowed_signers file (ssh-keygen(1)), `gpg` as armoured public keys."""

    ssh: str = ""
    gpg: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """A check's result. `keys` are the ids of the key and of its primary key (GPG, 16 hex digits), or its fingerprint (SSH)."""

    verified: Verified
    signer: str = ""
    keys: tuple[str, ...] = ()
