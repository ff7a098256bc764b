"""render: a folder of a Tree becomes manifests, by the tool that the source names or that the folder shows."""

import posixpath
from dataclasses import replace

from kilde.core.basics.errors import LimitExceeded, PathNotFound, RenderFailed
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.yaml_scalars import to_json
from kilde.core.render.cache import RenderCache
from kilde.core.render.directory import render_directory
from kilde.core.render.found_kustomization import found_kustomization, has_kustomization
from kilde.core.render.helm import render_helm
from kilde.core.render.kustomize.accumulate import load_kustomization
from kilde.core.render.kustomize.budget import Budget
from kilde.core.render.kustomize.build import BuildOptions, Built, build, printable
from kilde.core.render.kustomize.kustomization import FILE_NAMES
from kilde.core.render.kustomize.loader import Loader
from kilde.core.render.kustomize.settings import BuildFlags
from kilde.core.render.outside import NOTHING_OUTSIDE, Outside
from kilde.core.render.overrides import overridden
from kilde.core.render.plugin import chosen, render_plugin
from kilde.core.render.source import (
    NOWHERE,
    DirectoryOptions,
    HelmOptions,
    KustomizeOptions,
    Rendered,
    RenderSource,
    SourceType,
    Surroundings,
    substituted,
)
from kilde.core.source.tree import EntryKind, TracedTree, Tree, followed, join, misplaced


def render(
    tree: Tree,
    source: RenderSource,
    *,
    cache: RenderCache | None = None,
    outside: Outside = NOTHING_OUTSIDE,
    around: Surroundings = NOWHERE,
) -> Rendered:
    """The manifests of a source, and the exact set of what was read for them.

    Raises PathNotFound for a missing folder; InvalidYaml, LimitExceeded and RenderFailed, with file and line, for what
    cannot be rendered. Synchronous and CPU-bound; the tree may do I/O. `outside`: what it may reach beyond the tree.
    """
    try:
        return _render(TracedTree(tree), source, cache if cache is not None else RenderCache(), outside, around)
    except RecursionError:
        raise LimitExceeded("nested deeper than anything honest", about=source.path) from None


def _render(
    traced: TracedTree, source: RenderSource, cache: RenderCache, outside: Outside, around: Surroundings
) -> Rendered:
    path = _folder(traced, source.path)
    plugin = chosen(traced, path, source.plugin, around, outside) if source.plugin or source.implicit else None
    kind = _kind(traced, path, source)
    if plugin is not None:
        return Rendered(render_plugin(plugin, traced, path, source.plugin, around, outside), "Plugin", traced.trace)
    if kind == "Helm":
        options = source.helm or HelmOptions()
        objects, packages = render_helm(traced, path, options, around, outside)
        traced.trace.remotes.update(packages)
        return Rendered(objects, kind, traced.trace)
    if kind == "Kustomize":
        kustomize = _substituted(source.kustomize, around, path)
        flags = around.kustomize.flags(kustomize.version if kustomize is not None else "")
        built = _kustomize(traced, path, kustomize, flags, cache, outside)
        traced.trace.remotes.update(built.remotes)
        manifests = tuple(Manifest(to_json(printable(resource.body)), resource.place) for resource in built.resources)
        return Rendered(manifests, "Kustomize", traced.trace, tuple(dict.fromkeys(built.warnings)))
    manifests = render_directory(traced, path, source.directory or DirectoryOptions(), cache, around, outside)
    return Rendered(manifests, "Directory", traced.trace)


def _folder(tree: Tree, path: str) -> str:
    if why := misplaced(path):
        raise PathNotFound(why, about=path)
    found = followed(tree, join("", path or "."))
    entry = tree.entry(found)
    if entry is None:
        raise PathNotFound("app path does not exist", about=path or "/")
    if entry.kind is EntryKind.SYMLINK:
        raise RenderFailed("the source path is a symlink that leads nowhere", about=path)
    if entry.kind is not EntryKind.FOLDER:
        raise PathNotFound("app path is not a directory", about=path)
    return found


def _kind(tree: Tree, path: str, source: RenderSource) -> SourceType:
    """Argo CD's detection: an explicit block, then Chart.yaml, then a kustomization, else a plain folder."""
    blocks = {
        "Helm": source.helm,
        "Kustomize": source.kustomize,
        "Directory": source.directory,
        "Plugin": source.plugin,
    }
    explicit = [name for name, block in blocks.items() if block is not None]
    if len(explicit) > 1:
        names = ",".join(name for name in ("Kustomize", "Helm", "Directory", "Plugin") if name in explicit)
        what = f"error getting app source type: multiple application sources defined: {names}"
        raise RenderFailed(f"rpc error: code = Unknown desc = {what}")
    if source.helm is not None:
        return "Helm"
    if source.kustomize is not None:
        return "Kustomize"
    if source.directory is not None and source.directory != DirectoryOptions():
        return "Directory"
    if tree.entry(posixpath.join(path, "Chart.yaml")) is not None:
        return "Helm"
    kustomized = any(tree.entry(posixpath.join(path, name)) is not None for name in FILE_NAMES)
    return "Kustomize" if kustomized else "Directory"


def _substituted(options: KustomizeOptions | None, around: Surroundings, path: str) -> KustomizeOptions | None:
    """The settings with the build environment in its places."""
    if options is None or not options.asks:
        return options
    environment = around.environment(path)
    annotations = dict(options.common_annotations)
    if options.annotations_envsubst:
        annotations = {key: substituted(text, environment) for key, text in annotations.items()}
    return replace(
        options,
        images=tuple(substituted(text, environment) for text in options.images),
        common_labels={key: substituted(text, environment) for key, text in options.common_labels.items()},
        common_annotations=annotations,
    )


def _kustomize(
    tree: Tree, path: str, options: KustomizeOptions | None, flags: BuildFlags, cache: RenderCache, outside: Outside
) -> Built:
    overrides = None
    if options is not None and options != KustomizeOptions():
        missing: set[str] = set()
        if options.ignore_missing_components:
            missing = {name for name in options.components if tree.entry(join(path, name)) is None}
        is_found = options.generate and not has_kustomization(tree, path)
        loader = Loader(tree, path, cache, Budget())
        kustomization = found_kustomization(tree, path) if is_found else load_kustomization(loader)
        overrides = overridden(kustomization, options, missing=frozenset(missing))
    settings = BuildOptions(flags.reorder, flags.restricted, flags.managed_by, outside)
    return build(tree, path, settings, cache, overrides)
