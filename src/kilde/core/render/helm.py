"""A Helm chart of a repository, rendered by the helm program: its files gathered and traced, its command line put together.

The order of the arguments and the words of a failure are Argo CD's. The program gets files and flags, and no network: charts that
the chart depends on are gathered here, too, from the repository or from chart repositories.
"""

import bisect
import posixpath
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kilde.core.basics.errors import InvalidYaml, LimitExceeded, PathNotFound, Place, RenderFailed
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.render.directory import unpacked
from kilde.core.render.outside import Outside
from kilde.core.render.path_globs import expand
from kilde.core.render.source import HelmOptions, HelmParameter, Surroundings, substituted
from kilde.core.source.chart_place import ChartPlace
from kilde.core.source.repository_url import redact
from kilde.core.source.tree import EntryKind, Tree, followed, join

_MOST_FILES = 5_000
_MOST_BYTES = 64 << 20  # of all files of a chart
_MOST_CHARTS = 100  # that one depends on, however deep
_NO_REF = "but no source has a 'ref' field defined"
_CACHED = "<path to cached source>"  # what Argo CD's messages have for the folder of a checkout


def render_helm(
    tree: Tree, path: str, options: HelmOptions, around: Surroundings, outside: Outside
) -> tuple[tuple[Manifest, ...], dict[str, str]]:
    """The objects of the chart in that folder, and what it took from chart repositories, `place@asked` → version.

    Raises RenderFailed, with helm's words or before it runs.
    """
    if outside.helm is None:
        raise RenderFailed(
            "is a Helm chart, which needs the helm program",
            about=path or "/",
            hint="install helm, or name it with --helm-command",
        )
    chart = _Chart(tree, path, options, around, outside)
    printed = outside.helm.template(chart.gathered(), f"/{path}", chart.arguments(), options.values.encode())
    return _objects(printed, path), chart.packages


class _Chart:
    def __init__(self, tree: Tree, path: str, options: HelmOptions, around: Surroundings, outside: Outside) -> None:
        self._tree, self._path, self._options, self._around, self._outside = tree, path, options, around, outside
        self._files: dict[str, bytes] = {}
        self._bytes = 0
        self._charts = 0
        self.packages: dict[str, str] = {}

    def gathered(self) -> dict[str, bytes]:
        """The chart's files by their absolute path; value files are added by `arguments`."""
        self._copy(self._tree, self._path, f"/{self._path}".rstrip("/"))
        self._depend(self._tree, self._path, f"/{self._path}".rstrip("/"))
        return self._files

    def _put(self, place: str, content: bytes) -> None:
        self._bytes += len(content)
        if len(self._files) >= _MOST_FILES or self._bytes > _MOST_BYTES:
            raise LimitExceeded(
                f"a chart of more than {_MOST_FILES} files or {_MOST_BYTES} bytes", about=self._path or "/"
            )
        self._files[place] = content

    def _copy(self, tree: Tree, folder: str, to: str, depth: int = 0) -> None:
        if depth > 50:
            raise LimitExceeded("folders of a chart nested deeper than 50", about=folder)
        for entry in tree.list(folder):
            full = f"{folder}/{entry.name}" if folder else entry.name
            real = followed(tree, full) if entry.kind is EntryKind.SYMLINK else full
            found = tree.entry(real)
            if found is None or found.kind is EntryKind.SUBMODULE or found.name == ".git":
                continue
            if found.kind is EntryKind.FOLDER:
                self._copy(tree, real, f"{to}/{entry.name}", depth + 1)
            elif found.kind is EntryKind.FILE:
                self._put(f"{to}/{entry.name}", tree.read(real))

    def _depend(self, tree: Tree, folder: str, to: str) -> None:
        """Puts the charts that this one depends on, and that are not in it, below its `charts`."""
        about = posixpath.join(folder, "Chart.yaml")
        wanted = _dependencies(tree, folder)
        locked = {one.get("name"): one.get("version") for one in _dependencies(tree, folder, "Chart.lock")}
        for one in wanted:
            name, repository = str(one.get("name") or ""), self._repository(str(one.get("repository") or ""))
            below = f"{to}/charts/{name}"
            if any(file.startswith((f"{below}/", f"{below}-")) for file in self._files):
                continue
            self._charts += 1
            if self._charts > _MOST_CHARTS:
                raise LimitExceeded(f"depends on more than {_MOST_CHARTS} charts", about=about)
            if repository.startswith("file://"):
                local = join(folder, repository.removeprefix("file://"), about=about)
                if tree.entry(local) is None:
                    raise PathNotFound(f"the chart '{name}' that it depends on is not at '{local}'", about=about)
                self._copy(tree, local, below)
                self._depend(tree, local, below)
            elif repository.startswith(("https://", "http://", "oci://")) and self._outside.packages is not None:
                version = str(locked.get(name) or one.get("version") or "*")
                place = ChartPlace(repository=repository, chart=name)
                fetched, found = self._outside.packages.chart(place, version)
                self.packages[f"{place.key}@{version}"] = found
                self._copy(fetched, "", below)
                self._depend(fetched, "", below)
            else:
                raise RenderFailed(
                    f"the chart '{name}' that it depends on is not in charts/, and '{repository}' is no repository to get it from",
                    about=about,
                    hint="helm dependency update, and commit charts/",
                )

    def _repository(self, written: str) -> str:
        """The address, where a repository is named as helm's list of repositories names it: `@name`, `alias:name`."""
        name = next((written.removeprefix(mark) for mark in ("@", "alias:") if written.startswith(mark)), "")
        if not name or self._outside.packages is None:
            return written
        return self._outside.packages.repository_named(name) or written

    def arguments(self) -> list[str]:
        options, around = self._options, self._around
        out = ["--name-template", options.release_name or around.app.rpartition("_")[2]]
        namespace = options.namespace or around.namespace
        if namespace:
            out += ["--namespace", namespace]
        version = options.kube_version or around.kube_version
        if version:
            out += ["--kube-version", version.removeprefix("v")]
        environment = around.environment(self._path)
        for parameter in options.parameters:
            out += ["--set-string" if parameter.forced else "--set", _assignment(parameter, environment)]
        for name, path in options.file_parameters:
            written = path if path.startswith("$") else substituted(path, environment)
            for found in self._chosen(written, out):
                out += ["--set-file", f"{name}={found}"]
        for path in options.value_files:
            for found in self._chosen(path, out):
                out += ["--values", found]
        if options.values:
            out += ["--values", "-"]
        for version in options.api_versions or around.api_versions:
            out += ["--api-versions", version]
        flags = {
            "--include-crds": not options.skip_crds,
            "--skip-tests": options.skip_tests,
            "--skip-schema-validation": options.skip_schema_validation,
        }
        return [*out, *(flag for flag, given in flags.items() if given)]

    def _chosen(self, path: str, before: list[str]) -> Iterator[str]:
        """The places of the files that a path or a glob means, put among the files. A missing one ends it, unless it may be missing."""
        if "://" in path:
            yield self._downloaded(path)
            return
        tree, place, inside = self._located(path)
        found = expand(tree, inside) if _is_glob(inside) else [inside]
        if not found and not self._options.ignore_missing_value_files:
            raise RenderFailed("no file fits the pattern", about=path)
        for one in found:
            real = followed(tree, one)
            entry = tree.entry(real)
            if entry is None or entry.kind is not EntryKind.FILE:
                if self._options.ignore_missing_value_files:
                    continue
                raise _missing(before, f"{_CACHED}/{one}", crds=not self._options.skip_crds)
            self._put(f"{place}/{one}", tree.read(real))
            yield f"{place}/{one}"

    def _downloaded(self, url: str) -> str:
        """Where the file of an address is put. It is fetched anew when the chart is rendered anew, as Argo CD does."""
        if self._outside.values is None:
            hint = "put the file into a repository, and name it by $ref"
            raise RenderFailed("values from an address are not fetched here", about=redact(url), hint=hint)
        place = f"/.refs/.web/{len(self._files)}.yaml"
        self._put(place, self._outside.values.file(url))
        return place

    def _located(self, path: str) -> tuple[Tree, str, str]:
        """The tree a path is in, where that tree's files are put, and the path in it."""
        if path.startswith("$"):
            ref, _, inside = path[1:].partition("/")
            if ref not in self._around.refs:
                known = ", ".join(f"${name}" for name in sorted(self._around.refs))
                lack = f"which is not one of the available sources ({known})" if known else _NO_REF
                raise RenderFailed(f'source referenced "${ref}", {lack}', about=path)
            return self._around.refs[ref], f"/.refs/{ref}", join("", inside or ".", about=path)
        if path.startswith("/"):
            return self._tree, "", join("", path.lstrip("/") or ".", about=path)
        return self._tree, "", join(self._path, path, about=path)


def _is_glob(path: str) -> bool:
    return any(letter in path for letter in "*?[{")


def _missing(before: list[str], file: str, *, crds: bool) -> RenderFailed:
    """In Argo CD's words, which have the API versions left out."""
    command = " ".join(["helm template .", *before, "--values", file, "<api versions removed>"])
    crds_word = " --include-crds" if crds else ""
    return RenderFailed(
        f"rpc error: code = Unknown desc = failed to execute helm template command: failed running helm: `{command}{crds_word}` "
        f"failed exit status 1: Error: open {file}: no such file or directory"
    )


def _dependencies(tree: Tree, folder: str, file: str = "Chart.yaml") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in (file, "requirements.yaml" if file == "Chart.yaml" else "requirements.lock"):
        path = posixpath.join(folder, name)
        if tree.entry(path) is None:
            continue
        for document in read_documents(tree.read(path), file=path):
            value = document.value
            items = value.get("dependencies") if isinstance(value, dict) else None
            if items is not None and not isinstance(items, list):
                raise InvalidYaml("must be a list", about="dependencies", place=Place(path))
            found += [item for item in items or () if isinstance(item, dict)]
    for one in found:
        name = str(one.get("name") or "")
        if not name or "/" in name or name in (".", ".."):
            raise InvalidYaml(
                "a chart that it depends on has no usable name", place=Place(posixpath.join(folder, file))
            )
    return found


def _assignment(parameter: HelmParameter, environment: dict[str, str]) -> str:
    """`name=value`; commas of a value are its own, unless it is a list in braces (Argo CD's cleanSetParameters)."""
    value = substituted(parameter.value, environment)
    if not (value.startswith("{") and value.endswith("}")):
        value = "\\,".join(part for part in value.replace("\\,", ",").split(","))
    return f"{parameter.name}={value}"


def _objects(printed: bytes, path: str) -> tuple[Manifest, ...]:
    """What helm printed, each object with the template that it is from."""
    lines: list[int] = []
    files: list[str] = []
    for number, line in enumerate(printed.split(b"\n"), start=1):
        if line.startswith(b"# Source: "):
            lines.append(number)
            files.append(posixpath.join(path, line[10:].decode("utf-8", "replace").strip().partition("/")[2]))
    out: list[Manifest] = []
    for document in read_documents(printed, file="helm template", duplicates="last"):
        if document.value is None:
            continue
        at = bisect.bisect_right(lines, document.line + 1) - 1
        place = Place(files[at]) if at >= 0 else Place("helm template", document.line)
        out += [replace(one, origin=place) for one in unpacked(document.value, document, document.line)]
    return tuple(out)
