"""Raw Secrets: those whose values stand in Git in plain text, as somebody wrote them or as a generator or chart made them."""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.errors import Place, RenderFailed
from kilde.core.objects.manifest import Manifest

SHORTEST = 4  # bytes: fewer guard nothing, as `u` and `-1` do not
_SHOWN = 5
_PUBLIC = ("-----BEGIN CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----", "ssh-ed25519 ", "ssh-rsa ")
_PRIVATE = "PRIVATE KEY"
_CIPHERTEXT, _SOPS = (
    "ENC[AES256_GCM,",
    "sops_",
)  # of an application that nobody has told to decrypt; what goes with it in a .env file


@dataclass(frozen=True, slots=True)
class RawSecret:
    """One of them; of its values it has the names."""

    name: str
    place: Place | None
    keys: tuple[str, ...]

    def __str__(self) -> str:
        keys = ", ".join(self.keys[:_SHOWN]) + (
            f" and {len(self.keys) - _SHOWN} more" if len(self.keys) > _SHOWN else ""
        )
        return f"Secret {self.name} ({keys})" + (f" in {self.place}" if self.place is not None else "")


def raw_secrets(
    manifests: Iterable[Manifest], was_encrypted: Callable[[str], bool] = lambda text: False
) -> tuple[RawSecret, ...]:
    """Those among rendered objects. `was_encrypted` says of a value whether Git holds it encrypted (SOPS).

    Public certificates and keys count for nothing, nor does a value of fewer than SHORTEST bytes.
    """
    return tuple(_raw(manifests, was_encrypted))


def _raw(manifests: Iterable[Manifest], was_encrypted: Callable[[str], bool]) -> Iterator[RawSecret]:
    for manifest in manifests:
        if manifest.kind != "Secret" or manifest.api_version != "v1":
            continue
        values = [(key, value, text) for key, value, text in _values(manifest) if _CIPHERTEXT not in text + value]
        is_sops = len(values) < len(list(_values(manifest)))
        keys = [
            key
            for key, value, text in values
            if _tells(text)
            and not was_encrypted(text)
            and not was_encrypted(value)
            and not (is_sops and key.startswith(_SOPS))
        ]
        if keys:
            name = f"{manifest.namespace}/{manifest.name}" if manifest.namespace else manifest.name
            yield RawSecret(name, manifest.origin, tuple(dict.fromkeys(keys)))


def _values(manifest: Manifest) -> Iterator[tuple[str, str, str]]:
    """Key, value as written, and what it stands for."""
    for block in ("data", "stringData"):
        for key, value in _entries(manifest.body.get(block)):
            yield key, value, _decoded(value) if block == "data" else value


def _entries(block: Any) -> Iterator[tuple[str, str]]:
    """A block of the wrong type is of one entry: it may hold a secret all the same."""
    if isinstance(block, dict):
        for key, value in block.items():
            yield str(key), "" if value is None else str(value)
    elif block is not None:
        yield "?", str(block)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return text


def _tells(text: str) -> bool:
    """Whether the text may be a secret: long enough, and no certificate or public key."""
    is_public = text.lstrip().startswith(_PUBLIC) and _PRIVATE not in text
    return not is_public and len(text.encode("utf-8", "backslashreplace")) >= SHORTEST


def refusal(found: Sequence[RawSecret], project: str) -> RenderFailed:
    """Why an Application with these is not applied, for people."""
    shown = "; ".join(map(str, found[:_SHOWN])) + (f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
    one = len(found) == 1
    hint = (
        f"seal {'it' if one else 'them'}: kilde seal -f FILE -w FILE; "
        f"or let project {project} allow {'it' if one else 'them'}: its annotation kilde.dev/raw-secrets: allowed"
    )
    return RenderFailed(f"{'a Secret stands' if one else 'Secrets stand'} in Git in plain text: {shown}", hint=hint)
