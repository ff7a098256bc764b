"""`git`: one parameter set for each folder, or for each object in the files, of a repository that patterns choose."""

import posixpath
import re
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from kilde.core.basics.errors import LimitExceeded
from kilde.core.sets.failures import GeneratorFailed, within
from kilde.core.sets.generators.asking import Asking, Generator, Spec, items, text
from kilde.core.sets.naming import normalized
from kilde.core.sets.parameters import Parameters, Texts, bounded, flattened
from kilde.core.sets.path_patterns import files, fits_file, fits_folder, fits_glob, folders
from kilde.core.sets.texts import read_yaml
from kilde.core.source.repository_url import redact
from kilde.core.source.tree import EntryKind, Tree, followed

_MOST_BYTES = 32 << 20  # of all files that one generator reads
_WILDCARD = re.compile(r"[*?\[{\\]")
Fits = Callable[[str, str], bool]


def _give(spec: Spec, asking: Asking) -> list[Parameters]:
    url = text(spec, "repoURL")
    by_folder, by_file = items(spec, "directories"), items(spec, "files")
    if not by_folder and not by_file:
        raise GeneratorFailed("ApplicationSet is empty", hint="a git generator needs directories or files")
    with within("error generating params from git"):
        with within("error getting directories from repo") if by_folder else nullcontext():
            tree = asking.outside.tree(url, text(spec, "revision"), project=asking.owner.project)
        if asking.policy.submodules:
            _demand_no_submodule(tree, by_folder, by_file)
        go = asking.filler.go
        fits = fits_glob if asking.policy.globs else fits_file
        given = _from_folders(spec, tree, go=go) if by_folder else _from_files(spec, tree, fits, url, go=go)
        return bounded([asking.values(spec, found) for found in given])


def _demand_no_submodule(tree: Tree, by_folder: list[Any], by_file: list[Any]) -> None:
    """GeneratorFailed for a pattern that leads into a submodule: giving nothing for it would take its Applications away."""
    for pattern in (*by_folder, *by_file):
        path = str(pattern.get("path", ""))
        plain, *wild = _WILDCARD.split(path, maxsplit=1)
        parts = plain.split("/") if pattern in by_file and not wild else plain.split("/")[:-1]
        parts = [part for part in parts if part not in ("", ".")] if not pattern.get("exclude") else []
        for end in range(1, len(parts) + 1):
            entry = tree.entry("/".join(parts[:end]))
            if entry is not None and entry.kind is EntryKind.SUBMODULE:
                raise GeneratorFailed(
                    f"'{path}' leads into the Git submodule '{'/'.join(parts[:end])}', which is not fetched",
                    hint='applicationsetcontroller.enable.git.submodule: "false" in argocd-cmd-params-cm passes such patterns over',
                )


def _from_folders(spec: Spec, tree: Tree, *, go: bool) -> list[Parameters]:
    chosen = _chosen(items(spec, "directories"), folders(tree), fits_folder)
    prefix = text(spec, "pathParamPrefix")
    return [_path_parameters(path, prefix, go=go) for path in chosen]


def _from_files(spec: Spec, tree: Tree, fits: Fits, url: str, *, go: bool) -> list[Parameters]:
    found: list[Parameters] = []
    read = 0
    for path in sorted(_chosen(items(spec, "files"), files(tree), fits)):
        content = tree.read(followed(tree, path))
        read += len(content)
        if read > _MOST_BYTES:
            raise LimitExceeded(f"the files that the patterns choose have more than {_MOST_BYTES} bytes")
        where = _path_parameters(posixpath.dirname(path) or ".", text(spec, "pathParamPrefix"), go=go, file=path)
        with within(f"unable to process file '{path}' from repository '{redact(url)}'"):
            found += [{**(each if go else flattened(each)), **where} for each in _objects(content)]
        bounded(found)
    return found


def _chosen(patterns: list[Any], paths: list[str], fits: Fits) -> list[str]:
    """What at least one pattern wants and none excludes."""
    wanted = [str(each.get("path", "")) for each in patterns if not each.get("exclude")]
    excluded = [str(each.get("path", "")) for each in patterns if each.get("exclude")]
    return [
        path
        for path in paths
        if any(fits(pattern, path) for pattern in wanted) and not any(fits(pattern, path) for pattern in excluded)
    ]


def _objects(content: bytes) -> list[dict[str, Any]]:
    with within("unable to parse file"):
        found = read_yaml(content.decode("utf-8", "replace"))
    several = [{}] if found is None else found if isinstance(found, list) else [found]
    if not all(isinstance(each, dict) for each in several):
        raise GeneratorFailed("it is neither an object nor a list of objects")
    return several


def _path_parameters(folder: str, prefix: str, *, go: bool, file: str = "") -> Parameters:
    base = posixpath.basename(folder)
    segments = folder.split("/")
    words: Parameters = {"basename": base, "basenameNormalized": normalized(base)}
    if file:
        name = posixpath.basename(file)
        words |= {"filename": name, "filenameNormalized": normalized(name)}
    if go:
        path = {"path": folder, **words, "segments": Texts(segments)}
        return {prefix: {"path": path}} if prefix else {"path": path}
    name = f"{prefix}.path" if prefix else "path"
    flat: Parameters = {name: folder, **{f"{name}.{key}": value for key, value in words.items()}}
    return flat | {f"{name}[{index}]": segment for index, segment in enumerate(segments) if segment}


GENERATOR = Generator(give=_give, requeue=None)
