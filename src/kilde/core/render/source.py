"""RenderSource: which folder, rendered how. The settings are those of Argo CD's `spec.source`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from kilde.core.objects.manifest import Manifest
from kilde.core.render.kustomize.settings import DEFAULT_KUSTOMIZE, KustomizeSettings
from kilde.core.source.tree import Trace, Tree

SourceType = Literal["Helm", "Kustomize", "Directory", "Plugin", ""]  # "": it gives no objects of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonnetVariable:
    """A text, or code to be evaluated."""

    name: str
    value: str
    code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryOptions:
    """`source.directory`: globs are relative to the folder; exclude wins over include. `libs`: folders of the repository."""

    recurse: bool = False
    include: str = ""
    exclude: str = ""
    disable_extension_filter: bool = False
    ext_vars: tuple[JsonnetVariable, ...] = ()
    tlas: tuple[JsonnetVariable, ...] = ()
    libs: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether a value of it takes the build environment."""
        return any("$" in one.value for one in (*self.ext_vars, *self.tlas))


@dataclass(frozen=True, slots=True, kw_only=True)
class KustomizeOptions:
    """`source.kustomize`: what `kustomize edit` would change before the build.

    `images` are `[old=]new[:tag][@digest]`, `replicas` name → count, `patches` as in a kustomization's `patches`.
    """

    version: str = ""  # of kustomize, as asked for: there is one, ours
    name_prefix: str = ""
    name_suffix: str = ""
    namespace: str = ""
    images: tuple[str, ...] = ()
    replicas: tuple[tuple[str, int], ...] = ()
    common_labels: Mapping[str, str] = field(default_factory=dict)
    common_annotations: Mapping[str, str] = field(default_factory=dict)
    annotations_envsubst: bool = False  # values of `common_annotations` take the build environment
    force_common_labels: bool = False
    force_common_annotations: bool = False
    label_without_selector: bool = False
    label_include_templates: bool = False
    patches: tuple[Mapping[str, Any], ...] = ()
    components: tuple[str, ...] = ()
    ignore_missing_components: bool = False
    generate: bool = False  # Kilde's own: a folder without a kustomization gets one of all that is below it

    @property
    def asks(self) -> bool:
        """Whether a value of it takes the build environment."""
        values = (*self.images, *self.common_labels.values())
        return any("$" in text for text in values) or self.annotations_envsubst


@dataclass(frozen=True, slots=True, kw_only=True)
class HelmParameter:
    """`--set name=value`; as text, whatever it looks like, where it is `forced`."""

    name: str
    value: str
    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HelmOptions:
    """`source.helm`. `values` is the text of an inline values file, `file_parameters` are names and paths."""

    release_name: str = ""
    namespace: str = ""
    value_files: tuple[str, ...] = ()
    ignore_missing_value_files: bool = False
    values: str = ""
    parameters: tuple[HelmParameter, ...] = ()
    file_parameters: tuple[tuple[str, str], ...] = ()
    skip_crds: bool = False
    skip_tests: bool = False
    skip_schema_validation: bool = False
    pass_credentials: bool = False
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()

    @property
    def refs(self) -> frozenset[str]:
        """The names of other sources that it reads from."""
        paths = (*self.value_files, *(path for _, path in self.file_parameters))
        return frozenset(path[1:].partition("/")[0] for path in paths if path.startswith("$"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginParameter:
    """A parameter: a text, a list, a map, or several of them; None for what is not given."""

    name: str
    string: str | None = None
    array: tuple[str, ...] | None = None
    map: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginOptions:
    """`source.plugin`; without a name any plugin that takes the folder."""

    name: str = ""
    env: tuple[tuple[str, str], ...] = ()
    parameters: tuple[PluginParameter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSource:
    """A folder of the repository (`path`, "" or "." for its root); at most one of the blocks says how to render it."""

    path: str
    helm: HelmOptions | None = None
    directory: DirectoryOptions | None = None
    kustomize: KustomizeOptions | None = None
    plugin: PluginOptions | None = None

    @property
    def implicit(self) -> bool:
        """Whether no block says how to render it: the folder shows."""
        return self.helm is None and self.directory is None and self.kustomize is None and self.plugin is None

    @property
    def refs(self) -> frozenset[str]:
        """The names of other sources that it reads from."""
        return self.helm.refs if self.helm is not None else frozenset()

    @property
    def asks(self) -> bool:
        """Whether it takes the build environment, as far as its block tells: a chart always does."""
        return any(block is not None and block.asks for block in (self.kustomize, self.directory))


@dataclass(frozen=True, slots=True)
class Rendered:
    """The objects in output order, how they were rendered, everything that was read for it, and warnings for people."""

    manifests: tuple[Manifest, ...]
    source_type: SourceType
    trace: Trace
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a render knows beside its files: whose it is, what the cluster serves, and the trees of sources with a `ref`."""

    app: str = ""
    namespace: str = ""
    project: str = ""
    revision: str = ""
    repo_url: str = ""
    target_revision: str = ""
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()
    refs: Mapping[str, Tree] = field(default_factory=dict)
    kustomize: KustomizeSettings = DEFAULT_KUSTOMIZE  # what the installation says of every build

    def environment(self, path: str) -> dict[str, str]:
        """Argo CD's build environment."""
        return {
            "ARGOCD_APP_NAME": self.app,
            "ARGOCD_APP_NAMESPACE": self.namespace,
            "ARGOCD_APP_PROJECT_NAME": self.project,
            "ARGOCD_APP_REVISION": self.revision,
            "ARGOCD_APP_REVISION_SHORT": self.revision[:7],
            "ARGOCD_APP_REVISION_SHORT_8": self.revision[:8],
            "ARGOCD_APP_SOURCE_PATH": path,
            "ARGOCD_APP_SOURCE_REPO_URL": self.repo_url,
            "ARGOCD_APP_SOURCE_TARGET_REVISION": self.target_revision,
            "KUBE_VERSION": self.kube_version,
            "KUBE_API_VERSIONS": ",".join(self.api_versions),
        }


NOWHERE = Surroundings()
_VARIABLE = re.compile(r"\$(?:\{(?:(?P<braced>[^}]*)\})?|(?P<plain>[*#$@!?0-9-]|[A-Za-z_][A-Za-z0-9_]*))")


def substituted(text: str, environment: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` by their values, an unknown name by nothing, `$$` by `$`: as Go's os.Expand finds names."""
    names = {**environment, "$": "$"}
    return _VARIABLE.sub(lambda m: names.get(m["braced"] or m["plain"] or "", ""), text)
