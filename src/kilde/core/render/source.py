"""RenderSource: which folder, rendered how. The settings are those of Argo CD's `spec.source`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from kilde.core.objects.manifest import Manifest
from kilde.core.source.tree import Trace

SourceType = Literal["Kustomize", "Directory", ""]  # "": it gives no objects of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryOptions:
    """`source.directory`: globs are relative to the folder; exclude wins over include."""

    recurse: bool = False
    include: str = ""
    exclude: str = ""
    disable_extension_filter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KustomizeOptions:
    """`source.kustomize`: what `kustomize edit` would change before the build.

    `images` are `[old=]new[:tag][@digest]`, `replicas` name → count, `patches` as in a kustomization's `patches`.
    """

    name_prefix: str = ""
    name_suffix: str = ""
    namespace: str = ""
    images: tuple[str, ...] = ()
    replicas: tuple[tuple[str, int], ...] = ()
    common_labels: Mapping[str, str] = field(default_factory=dict)
    common_annotations: Mapping[str, str] = field(default_factory=dict)
    force_common_labels: bool = False
    force_common_annotations: bool = False
    label_without_selector: bool = False
    label_include_templates: bool = False
    patches: tuple[Mapping[str, Any], ...] = ()
    components: tuple[str, ...] = ()
    ignore_missing_components: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSource:
    """A folder of the repository (`path`, "" or "." for its root); at most one of the blocks says how to render it."""

    path: str
    directory: DirectoryOptions | None = None
    kustomize: KustomizeOptions | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """The objects in output order, how they were rendered, everything that was read for it, and warnings for people."""

    manifests: tuple[Manifest, ...]
    source_type: SourceType
    trace: Trace
    warnings: tuple[str, ...] = ()
