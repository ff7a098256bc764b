"""age, by pyrage (the extra `sops`): identities unwrap the data keys of SOPS files, and backups of keys are locked to recipients."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from pyrage import x25519

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.secrets.sops import AGE, SopsFailed, Unwrap, wrapped_by

_BEGIN = "AGE-SECRET-KEY-"


_LOCKED = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")


def unwrapper(texts: Iterable[str]) -> Unwrap:
    """Unwraps with any of the identities in key files. InvalidInput where none can be read, or pyrage is not there."""
    identities = _identities(texts)
    return lambda metadata: _unwrapped(wrapped_by(metadata, AGE), identities)


def is_locked(data: bytes) -> bool:
    """Whether a file is one of age's."""
    return data.startswith(_LOCKED)


def locked(data: bytes, recipients: Iterable[str]) -> bytes:
    """The data for any of the recipients (age1…), armored. InvalidInput."""
    pyrage = _pyrage("backups to age recipients")
    chosen = []
    for text in recipients:
        try:
            chosen.append(pyrage.x25519.Recipient.from_str(text.strip()))
        except pyrage.RecipientError:
            hint = "give what age-keygen prints as public key"
            raise InvalidInput("is no age recipient (age1…)", about=text[:80], hint=hint) from None
    found: bytes = pyrage.encrypt(data, chosen, armored=True)
    return found


def unlocked(data: bytes, texts: Iterable[str], *, about: str) -> bytes:
    """What was locked to one of the identities in key files. InvalidInput."""
    identities = _identities(texts)
    pyrage = _pyrage("backups to age recipients")
    try:
        found: bytes = pyrage.decrypt(data, identities)
    except (pyrage.DecryptError, ValueError):
        what = "does not open: it is locked to none of these identities, or was changed"
        raise InvalidInput(what, about=about, hint="give --identity FILE") from None
    return found


def _pyrage(what: str) -> "ModuleType":
    try:
        import pyrage
        from pyrage import x25519  # noqa: F401  # else it is no attribute
    except ImportError:
        raise InvalidInput(f"{what} need pyrage", hint="pip install 'kilde[sops]'") from None
    found: ModuleType = pyrage
    return found


def _identities(texts: Iterable[str]) -> "list[x25519.Identity]":
    pyrage = _pyrage("age identities")
    identities: list[x25519.Identity] = []
    for text in texts:
        for line in text.split():
            if line.startswith(_BEGIN):
                try:
                    identities.append(pyrage.x25519.Identity.from_str(line))
                except pyrage.IdentityError:
                    raise InvalidInput("an age identity cannot be read", hint="age-keygen makes one") from None
    if not identities:
        raise InvalidInput("there is no age identity (AGE-SECRET-KEY-1…)")
    return identities


def _unwrapped(entries: list[Object], identities: Sequence[object]) -> bytes:
    import pyrage

    if not entries:
        raise SopsFailed("has no age recipient", hint="encrypt it with sops --age")
    for entry in entries:
        try:
            found: bytes = pyrage.decrypt(str(entry.get("enc", "")).encode(), list(identities))
        except (pyrage.DecryptError, ValueError):
            continue
        return found
    raise SopsFailed("is encrypted to none of the age keys at hand")
