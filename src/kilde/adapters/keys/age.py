"""age identities, by pyrage (the extra `sops`): they unwrap the data keys of SOPS files."""

from collections.abc import Iterable, Sequence

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.secrets.sops import SopsFailed, Unwrap

_BEGIN = "AGE-SECRET-KEY-"


def unwrapper(texts: Iterable[str]) -> Unwrap:
    """Unwraps with any of the identities in key files. InvalidInput where none can be read, or pyrage is not there."""
    try:
        import pyrage
        from pyrage import x25519
    except ImportError:
        raise InvalidInput("SOPS files need pyrage", hint="pip install 'kilde[sops]'") from None
    identities: list[x25519.Identity] = []
    for text in texts:
        for line in text.split():
            if line.startswith(_BEGIN):
                try:
                    identities.append(x25519.Identity.from_str(line))
                except pyrage.IdentityError:
                    raise InvalidInput("an age identity cannot be read", hint="age-keygen makes one") from None
    if not identities:
        raise InvalidInput("there is no age identity (AGE-SECRET-KEY-1…)")
    return lambda entries: _unwrapped(entries, identities)


def _unwrapped(entries: list[Object], identities: Sequence[object]) -> bytes:
    import pyrage

    for entry in entries:
        try:
            found: bytes = pyrage.decrypt(str(entry.get("enc", "")).encode(), list(identities))
        except (pyrage.DecryptError, ValueError):
            continue
        return found
    raise SopsFailed("is encrypted to none of the age keys at hand")
