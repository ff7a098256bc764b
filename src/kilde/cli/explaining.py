"""What a build read, and what it looked for in vain: `kilde build --explain`."""

import os
from collections.abc import Mapping
from typing import Any

from kilde.core.render.inputs import inputs_of
from kilde.core.source.tree import Trace


def inputs(trace: Trace, remotes: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every input by its path as seen from the working folder; `id` is the Git object id of a file, the commit of a repository."""
    here = [{"path": shown(found.path), "state": str(found.state), "id": found.id} for found in inputs_of(trace)]
    away = [{"path": address, "state": "remote", "id": commit} for address, commit in sorted(remotes.items())]
    return here + away


def line(found: Mapping[str, Any]) -> str:
    """One input for people: its id, or what it is where an id says nothing."""
    told = found["id"] if found["state"] in ("file", "remote") else found["state"]
    return f"{told:40.40} {found['path']}"


def shown(path: str) -> str:
    """A path as seen from the working folder; what has an address is shown by it."""
    return path if ": " in path or "://" in path else os.path.relpath("/" + path)
