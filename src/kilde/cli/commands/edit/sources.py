"""What an entry of a generator is made from: patterns of `--from-file` expanded, and all of it read once to see that it can be."""

import csv
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from kilde.cli.globbing import glob
from kilde.cli.printable import printable
from kilde.core.basics.errors import InvalidInput, Place


def expanded(sources: Iterable[str]) -> list[str]:
    """`[KEY=]PATTERN`, comma-separated, as `[KEY=]PATH`. Raises InvalidInput where a key would be for several files."""
    found: list[str] = []
    for source in (part for text in sources for part in next(csv.reader([text]), [])):
        first, equals, second = source.partition("=")
        key, pattern = (first, second) if equals and "=" not in second else ("", first)
        paths = glob(pattern)
        if not paths:
            click.echo(printable(f"{pattern} has no match"), err=True)
        if key and len(paths) != 1:
            raise InvalidInput(f"pattern catches {len(paths)} files, should catch only one", about=source)
        found += [f"{key}={path}" if key else path for path in paths]
    return found


def checked(field: str, entry: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Raises KildeError where an entry of configMapGenerator or secretGenerator could not be generated."""
    from kilde.adapters.folder import FolderTree
    from kilde.core.render.cache import RenderCache
    from kilde.core.render.kustomize.budget import Budget
    from kilde.core.render.kustomize.generators.objects import config_map, secret
    from kilde.core.render.kustomize.loader import Loader

    here = Path.cwd()
    loader = Loader(FolderTree(here.anchor), here.as_posix().strip("/"), RenderCache(), Budget())
    make = config_map if field == "configMapGenerator" else secret
    make(loader, entry, options, Place(""))


def is_file(path: str) -> bool:
    """Whether there is such a file, seen from here."""
    try:
        return os.path.isfile(path)  # noqa: PTH113  # a patch's text, too, is asked for: it may be no path at all
    except ValueError:
        return False
