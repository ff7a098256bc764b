"""What renders have read, kept from one plan to the next: an application whose inputs a commit leaves alone is not rendered at all.

The key is what decides a render beside files: sources, destination, flags of kustomize, keys of SOPS files, our version. What the cluster
serves counts for those alone that asked for it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from kilde import __version__
from kilde.core.apps.sources import Source
from kilde.core.render import Surroundings
from kilde.core.source.tree import Trace
from kilde.engine.sources.rendering import Memories, Memory, Read, around_source

_FORMAT = 1


class _Look(msgspec.Struct, array_like=True):
    """One repository at one commit; `seen` as a Trace has it, with the places of words in the shared table."""

    url: str
    sha: str
    of: int
    seen: list[tuple[int, int]]  # path, what was there: -1 for nothing


class _Kept(msgspec.Struct, array_like=True):
    """The looks of one source. `asked`: a hash of what the render knew beside files ("": nothing); `revision`: the commit among that."""

    asked: str
    revision: str
    looks: list[_Look]


class _File(msgspec.Struct, array_like=True):
    """Words are kept once: the fleet reads the same base a thousand times."""

    format: int
    words: list[str]
    kept: dict[str, list[_Kept]]


def key_of(sources: Sequence[Source], around: Surroundings, keys: str) -> str:
    """One word for all that decides a render but the commits. `keys`: of SOPS files."""
    blocks = [(source.url, source.target_revision, source.ref, source.render) for source in sources]
    return _hash((__version__, around.app, around.namespace, around.project, around.kustomize, keys, blocks))


def _hash(value: object) -> str:
    return hashlib.blake2b(repr(value).encode(), digest_size=16).hexdigest()


class Traces:
    """Memories of renders without what they gave: good for telling whether a render would differ, and for nothing else."""

    def __init__(self, raw: bytes = b"") -> None:
        """From what `packed` gave; begins anew where that cannot be read."""
        self._kept: dict[str, list[_Kept]] = {}
        self._words: list[str] = []
        self._new: dict[str, Memories] = {}
        try:
            file = msgspec.msgpack.decode(raw, type=_File) if raw else None
        except (msgspec.DecodeError, RecursionError):
            file = None
        if file is not None and file.format == _FORMAT:
            self._kept, self._words = file.kept, file.words

    def of(self, key: str, sources: Sequence[Source], around: Surroundings, keys: str) -> Memories:
        """What is known under this key; () where nothing is, or nothing that can be read."""
        if key in self._new:
            return self._new[key]
        kept = self._kept.get(key, [])
        if len(kept) != len(sources):
            return ()
        try:
            return tuple(
                self._memory(one, source, around_source(around, source, ""), keys)
                for one, source in zip(kept, sources, strict=True)
            )
        except LookupError:
            return ()

    def _memory(self, kept: _Kept, source: Source, around: Surroundings, keys: str) -> Memory:
        words = self._words
        reads = tuple(
            Read(
                look.url,
                look.sha,
                Trace({words[path]: None if at < 0 else words[at] for path, at in look.seen}),
                look.of,
            )
            for look in kept.looks
        )
        if not kept.asked:
            return Memory(source.render, reads, keys=keys)
        if kept.asked != _hash(replace(around, revision="")):
            raise LookupError
        return Memory(source.render, reads, keys=keys, around=replace(around, revision=kept.revision))

    def note(self, key: str, memories: Memories) -> None:
        """Keeps it, unless it rests on more than mirrored repositories: nobody could tell whether that still holds."""
        if not any(read.trace.remotes for memory in memories for read in memory.reads):
            self._new[key] = memories

    def packed(self, keys: Sequence[str]) -> bytes:
        """What is known under these keys, as bytes."""
        places: dict[str, int] = {}
        kept: dict[str, list[_Kept]] = {}
        for key in keys:
            if key in self._new:
                kept[key] = [_pack(memory, places) for memory in self._new[key]]
            elif key in self._kept:
                kept[key] = [self._moved(one, places) for one in self._kept[key]]
        return msgspec.msgpack.encode(_File(_FORMAT, list(places), kept))

    def _moved(self, kept: _Kept, places: dict[str, int]) -> _Kept:
        words = self._words
        looks = [
            _Look(
                look.url,
                look.sha,
                look.of,
                [(_place(words[p], places), -1 if a < 0 else _place(words[a], places)) for p, a in look.seen],
            )
            for look in kept.looks
        ]
        return _Kept(kept.asked, kept.revision, looks)


def _pack(memory: Memory, places: dict[str, int]) -> _Kept:
    looks = [_Look(read.url, read.sha, read.of, _seen(read.trace.seen, places)) for read in memory.reads]
    if memory.around is None:
        return _Kept("", "", looks)
    return _Kept(_hash(replace(memory.around, revision="")), memory.around.revision, looks)


def _seen(seen: Mapping[str, str | None], places: dict[str, int]) -> list[tuple[int, int]]:
    return [(_place(path, places), -1 if at is None else _place(at, places)) for path, at in seen.items()]


def _place(word: str, places: dict[str, int]) -> int:
    return places.setdefault(word, len(places))
