"""The blocks of `spec.source` that say how a folder is rendered: `directory` and `kustomize`, parsed."""

from kilde.core.basics.reading import Reader
from kilde.core.render import DirectoryOptions, KustomizeOptions


def read_directory(at: Reader) -> DirectoryOptions | None:
    """`source.directory`; an empty block decides nothing, a kustomization is used after all (Argo CD as watched)."""
    if at.has("jsonnet"):
        at.problem("jsonnet", "is not supported by this release")
    if not any(at.raw.values()):
        return None
    return DirectoryOptions(
        recurse=at.flag("recurse"),
        include=at.text("include"),
        exclude=at.text("exclude"),
        disable_extension_filter=at.flag("disableExtensionFilter"),
    )


def read_kustomize(at: Reader) -> KustomizeOptions:
    """`source.kustomize`, Argo CD's names."""
    for later in ("version", "kubeVersion", "apiVersions", "commonAnnotationsEnvsubst"):
        if at.has(later):
            at.problem(later, "is not supported by this release")
    return KustomizeOptions(
        name_prefix=at.text("namePrefix"),
        name_suffix=at.text("nameSuffix"),
        namespace=at.text("namespace"),
        images=at.texts("images"),
        replicas=tuple(_replica(item) for item in at.items("replicas")),
        common_labels=at.text_map("commonLabels"),
        common_annotations=at.text_map("commonAnnotations"),
        force_common_labels=at.flag("forceCommonLabels"),
        force_common_annotations=at.flag("forceCommonAnnotations"),
        label_without_selector=at.flag("labelWithoutSelector"),
        label_include_templates=at.flag("labelIncludeTemplates"),
        patches=tuple(dict(item.raw) for item in at.items("patches")),
        components=at.texts("components"),
        ignore_missing_components=at.flag("ignoreMissingComponents"),
    )


def _replica(at: Reader) -> tuple[str, int]:
    """`count` may be written as a number or as text, as Argo CD takes it."""
    count = at.raw.get("count")
    if isinstance(count, str) and count.isdigit():
        return at.text("name"), int(count)
    return at.text("name"), at.number("count", 0)
