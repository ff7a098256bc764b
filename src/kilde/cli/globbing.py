"""Paths on disk that match a pattern of Go's filepath.Glob; hidden ones only where the pattern's last part is."""

import os
from collections.abc import Iterator
from pathlib import Path

from kilde.core.render.kustomize.edit.go_match import META, compiled


def glob(pattern: str) -> list[str]:
    """What matches, folder by folder in the order of their names. Raises InvalidInput for a malformed pattern."""
    compiled(pattern)
    found = list(_glob(pattern))
    return found if _is_hidden(pattern) else [path for path in found if not _is_hidden(path)]


def _glob(pattern: str) -> Iterator[str]:
    if not META & set(pattern):
        if os.path.lexists(pattern):
            yield pattern
        return
    slash = pattern.rfind("/")
    folder, name = pattern[: slash + 1], pattern[slash + 1 :]
    folder = folder if folder in ("", "/") else folder[:-1]
    folders = _glob(folder) if META & set(folder) else (folder,)
    matcher = compiled(name)
    for place in folders:
        try:
            names = sorted((found.name for found in Path(place or ".").iterdir()), key=os.fsencode)
        except OSError:
            continue
        for found in names:
            if matcher.fullmatch(found):
                yield os.path.normpath(os.path.join(place, found))  # noqa: PTH118  # text in, text out


def _is_hidden(path: str) -> bool:
    return path.rstrip("/").rpartition("/")[2].startswith(".")
