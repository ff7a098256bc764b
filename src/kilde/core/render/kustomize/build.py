"""build: a kustomization becomes objects and, byte for byte, the text that `kustomize build` prints."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from kilde.core.basics.errors import InvalidYaml, KildeError, LimitExceeded, RenderFailed
from kilde.core.objects.yaml_scalars import OddKey, Quoted, plain_key, text_of
from kilde.core.objects.yaml_writer import write_document
from kilde.core.render.cache import RenderCache
from kilde.core.render.kustomize.accumulate import Target, load_kustomization
from kilde.core.render.kustomize.bases import Accumulated, Build
from kilde.core.render.kustomize.budget import Budget
from kilde.core.render.kustomize.fields import FieldSpec
from kilde.core.render.kustomize.hashing import add_hashes
from kilde.core.render.kustomize.kustomization import Kustomization
from kilde.core.render.kustomize.loader import Loader
from kilde.core.render.kustomize.namerefs import fix_references
from kilde.core.render.kustomize.openapi import forget_scopes
from kilde.core.render.kustomize.order import ordered
from kilde.core.render.kustomize.origin import (
    MANAGED_BY_LABEL,
    ORIGIN_ANNOTATION,
    TRANSFORMER_ANNOTATION,
    Origin,
    annotation,
)
from kilde.core.render.kustomize.reading import BUILD_ANNOTATIONS, demand_identity, demand_readable
from kilde.core.render.kustomize.remote import parse_remote
from kilde.core.render.kustomize.resource import NO_NAMESPACE, Resource
from kilde.core.render.kustomize.transformers.labels import set_strings
from kilde.core.render.kustomize.variables import resolve_variables
from kilde.core.render.outside import NOTHING_OUTSIDE, NotedRemotes, Outside
from kilde.core.source.tree import Tree

VERSION = "v5.8.1"  # what managedByLabel says made the object
_TWO_ORDERS = (
    "Warning: Sorting order is set both in 'kustomization.yaml' ('sortOptions') and in a CLI flag ('--reorder'). Using the"
    " kustomization file over the CLI flag."
)
_TRACKING = frozenset({"originAnnotations", "transformerAnnotations"})
_NEXT_LINE = re.compile("(?<! ) *+\x85[ \x85]*")
_LOCAL_CONFIG = "config.kubernetes.io/local-config"


class BuildOptions(NamedTuple):
    """`reorder` is "legacy", "none" or "" (not said); `restricted`: files only from a kustomization's own folder."""

    reorder: str = ""
    restricted: bool = True
    managed_by: bool = False
    outside: Outside = NOTHING_OUTSIDE


class Built(NamedTuple):
    """Objects in output order, styled as kustomize holds them, the warnings it would print, and what came from elsewhere:
    address → commit id, or the SHA-256 of a file.
    """

    resources: tuple[Resource, ...]
    warnings: tuple[str, ...] = ()
    remotes: Mapping[str, str] = MappingProxyType({})

    def text(self) -> str:
        """What kustomize prints. Raises KildeError for an object that cannot be written."""
        return "---\n".join(map(_written, self.resources))

    def files(self) -> list[tuple[str, str]]:
        """One file an object, named as `kustomize build -o FOLDER` names them."""
        namespaces = {resource.id.effective_namespace for resource in self.resources}
        many = len(namespaces - {NO_NAMESPACE}) > 1
        return [(_file_name(resource, with_namespace=many), _written(resource)) for resource in self.resources]


def build(
    tree: Tree,
    path: str,
    options: BuildOptions,
    cache: RenderCache,
    overrides: "Kustomization | None" = None,
    warnings: list[str] | None = None,
) -> Built:
    """Builds the kustomization in the folder `path`, or in the repository that `path` is the address of.

    `overrides` replaces what its file says (Argo CD's settings). `warnings` is filled as they come, also when it fails.

    Raises KildeError, with file and line, for what kustomize refuses.
    """
    outside, remotes = options.outside, None
    if outside.remotes is not None:
        remotes = NotedRemotes(outside.remotes)
        outside = outside._replace(remotes=remotes)
    forget_scopes()
    loader = Loader(tree, path, cache, Budget(), restricted=options.restricted, outside=outside)
    if parse_remote(path) is not None:
        loader = loader._replace(root="").folder(path)
    kustomization = overrides or load_kustomization(loader)
    metadata = frozenset(kustomization.items("buildMetadata"))
    run = Build(metadata, warnings)
    run.set_schema(kustomization, loader)
    target = Target(loader, kustomization, run, Origin() if metadata else None)
    found = target.accumulate()
    _finish(found, loader.budget, run.warnings)
    for resource in found.resources:
        demand_identity(resource)
    found.resources.demand_distinct("after all transformers")
    resources = [resource for resource in found.resources if not _is_local(resource)]
    if kustomization["sortOptions"] is not None and options.reorder:
        run.warnings.append(_TWO_ORDERS)
    resources = ordered(resources, kustomization["sortOptions"], options.reorder, kustomization)
    if options.managed_by or "managedByLabel" in metadata:
        found.resources.items = resources
        set_strings(
            found.resources, {MANAGED_BY_LABEL: f"kustomize-{VERSION}"}, (FieldSpec("metadata/labels", create=True),)
        )
    for resource in resources:
        _annotate(resource, metadata)
    return Built(tuple(resources), tuple(run.warnings), remotes.seen if remotes else {})


def kustomize_build(
    tree: Tree,
    path: str,
    options: BuildOptions | None = None,
    *,
    cache: RenderCache | None = None,
    warnings: list[str] | None = None,
) -> Built:
    """What `kustomize build` does; `.text()` is what it prints. `warnings` is filled as they come, also when it fails."""
    cache = cache if cache is not None else RenderCache()
    try:
        return build(tree, path, options or BuildOptions(), cache, warnings=warnings)
    except RecursionError:
        raise LimitExceeded("nested deeper than anything honest", about=path) from None


def _finish(found: Accumulated, budget: Budget, warnings: list[str]) -> None:
    """What happens once, at the top only."""
    add_hashes(found.resources)
    fix_references(found.resources, found.config.name_reference)
    unused = resolve_variables(found.resources, found.variables, found.config.var_reference, budget)
    if unused:
        warnings.append(f"well-defined vars that were never replaced: {','.join(unused)}")


def _file_name(resource: Resource, *, with_namespace: bool) -> str:
    found = resource.id
    namespace = found.effective_namespace if with_namespace and not found.gvk.cluster_scoped else ""
    parts = (namespace, *found.gvk, found.name)
    return "_".join(part for part in parts if part).lower().replace("/", "_") + ".yaml"


def _is_local(resource: Resource) -> bool:
    annotations = resource.strings("annotations")
    return _LOCAL_CONFIG in annotations and annotations[_LOCAL_CONFIG] != "false"


def _annotate(resource: Resource, metadata: frozenset[str]) -> None:
    """Annotations are written anew at the end: all of them strings, none where there are none."""
    found = resource.metadata.get("annotations")
    annotations: dict[str, Any] = {}
    if isinstance(found, dict):
        annotations = {plain_key(key): Quoted(_text(value)) for key, value in found.items()}
    for key in {ORIGIN_ANNOTATION, TRANSFORMER_ANNOTATION, *BUILD_ANNOTATIONS} & set(annotations):
        del annotations[key]
    if "originAnnotations" in metadata and resource.origin:
        annotations[ORIGIN_ANNOTATION] = annotation(resource.origin)
    if "transformerAnnotations" in metadata and resource.transformations:
        annotations[TRANSFORMER_ANNOTATION] = annotation(resource.transformations)
    if annotations:
        resource.own_metadata()["annotations"] = annotations
    elif len(_TRACKING & metadata) < len(_TRACKING):
        _without_annotations(resource)


def _without_annotations(resource: Resource) -> None:
    """Taking away its own notes leaves an object metadata, were there none before (lists may have none)."""
    resource.own_metadata().pop("annotations", None)


def _broken(value: Any) -> Any:
    """kustomize reads its own JSON as YAML, to which U+0085 in a string is the end of a line: lines are folded."""
    if isinstance(value, str):
        return _NEXT_LINE.sub(lambda found: "\n" * (found[0].count("\x85") - 1) or " ", value)
    if isinstance(value, dict):
        return {_broken(key): _broken(item) for key, item in value.items()}
    return [_broken(item) for item in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    return "" if isinstance(value, (dict, list)) else text_of(value)


def printable(body: dict[str, Any]) -> dict[str, Any]:
    """At the top of an object every key is read as a string; further in one that is none cannot be written."""
    odd = [key for key in body if type(key) is OddKey]
    if any(key in ("", "~", "null", "Null", "NULL") for key in odd):
        raise InvalidYaml(f"a mapping key must not be null: '{odd[0]}'")
    return {str(key): value for key, value in body.items()} if odd else body


def _written(resource: Resource) -> str:
    try:
        text = write_document(printable(resource.body))
        if "\\N" in text:
            text = write_document(_broken(printable(resource.body)))
        if "\\x" in text or "\\u" in text:
            demand_readable(resource.body)
        return text
    except KildeError as error:
        raise RenderFailed(error.what, about=str(resource), hint=error.hint, place=resource.place) from error
