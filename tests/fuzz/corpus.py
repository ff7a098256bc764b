"""Literate cases: the files of a tree, each under `@@ path`, then what kustomize prints for its folder `top`, or that it refuses."""

from pathlib import Path
from typing import NamedTuple

from fuzz.trees import Files

FOLDER = Path(__file__).with_name("corpus")


class Case(NamedTuple):
    """`printed` is None for a refusal."""

    files: Files
    printed: str | None


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.case"))


def case(name: str) -> Case:
    """One of them. A file ends as its text does; none begins a line with `@@ `."""
    parts = (FOLDER / f"{name}.case").read_text(encoding="utf-8").removeprefix("@@ ").split("\n@@ ")
    bodies = {head: body for head, _, body in (part.partition("\n") for part in parts)}
    printed = bodies.pop("printed", None)
    refused = bodies.pop("refused", None) is not None
    assert refused is (printed is None), f"{name} must be printed or refused"
    return Case({path: (body + "\n").encode() for path, body in bodies.items()}, printed)
