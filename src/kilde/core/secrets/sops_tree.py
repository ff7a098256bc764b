"""A Tree whose SOPS files are read in plain, for one render; and the watch over where their values come out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kilde.core.basics.errors import KildeError, RenderFailed
from kilde.core.objects.manifest import Manifest
from kilde.core.secrets.sops import Unwrap, decrypted, is_sops
from kilde.core.source.tree import Entry, Tree

_TELLS = 4  # characters from which a value in an error is one
_LANDS = 6  # characters from which a value in an object is one; `v1` and `true` stand everywhere
_BLOCKS = ("data", "stringData")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Decrypter:
    """What opens the SOPS files of an application. `keys`: says whether others are at hand than before; not what they are."""

    unwrap: Unwrap = field(repr=False)
    keys: str


class DecryptedTree:
    """A Tree; object ids, sizes and traces are those of the ciphertext. Belongs to one render, and is forgotten after it."""

    def __init__(self, tree: Tree, decrypter: Decrypter) -> None:
        self._tree, self._decrypter = tree, decrypter
        self._values: dict[str, None] = {}

    def entry(self, path: str) -> Entry | None:
        return self._tree.entry(path)

    def list(self, path: str) -> tuple[Entry, ...]:
        return self._tree.list(path)

    def link(self, path: str) -> str:
        return self._tree.link(path)

    def read(self, path: str) -> bytes:
        data = self._tree.read(path)
        found = decrypted(path, data, self._decrypter.unwrap) if is_sops(path, data) else None
        if found is None:
            return data
        self._values |= dict.fromkeys(value.strip() for value in found.values)
        return found.data

    def guarded(self, work: Callable[[], T]) -> T:
        """What the work gives; an error of it whose words hold a decrypted value is told without its words."""
        try:
            return work()
        except KildeError as error:
            words = f"{error} {error.what} {error.about} {error.hint}"
            if not any(value in words for value in self._values if len(value) >= _TELLS):
                raise
        raise RenderFailed(
            "cannot be rendered, and the reason holds a value that was encrypted", hint="render it where its keys are"
        )

    def gave(self, text: str) -> bool:
        """Whether a text was decrypted: a value, or a file that holds some."""
        return text.strip() in self._values or any(value in text for value in self._values if len(value) >= _LANDS)

    def check(self, manifests: Iterable[Manifest]) -> None:
        """RenderFailed if a decrypted value stands anywhere but in a Secret: diffs and records mask nothing else."""
        values = [value for value in self._values if len(value) >= _LANDS]
        if not values:
            return
        for manifest in manifests:
            for leaf in _outside(manifest):
                if any(value in leaf for value in values):
                    what = "a value that was encrypted would stand outside of data and stringData of a Secret"
                    hint = "encrypt only those: sops --encrypted-regex '^(data|stringData)$'"
                    metadata = manifest.body.get("metadata") or {}
                    about = f"{manifest.kind} {metadata.get('name')}"
                    is_told = not any(value in about for value in values)
                    raise RenderFailed(
                        what, about=about if is_told else manifest.kind, place=manifest.origin, hint=hint
                    )


def _outside(manifest: Manifest) -> Iterator[str]:
    body = manifest.body
    if body.get("kind") == "Secret" and body.get("apiVersion") == "v1":
        body = {key: value for key, value in body.items() if key not in _BLOCKS}
    return _leaves(body)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
