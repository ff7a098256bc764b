"""The blocks of `spec.source` that say how a folder is rendered: `directory` and `kustomize`, parsed."""

from collections.abc import Mapping

from kilde.core.basics.errors import RenderFailed
from kilde.core.basics.reading import Reader
from kilde.core.objects.yaml_writer import write_document
from kilde.core.render import (
    DirectoryOptions,
    HelmOptions,
    HelmParameter,
    JsonnetVariable,
    KustomizeOptions,
    PluginOptions,
    PluginParameter,
)
from kilde.core.source.repository_url import redact


def read_directory(at: Reader) -> DirectoryOptions | None:
    """`source.directory`; an empty block decides nothing, a kustomization is used after all (Argo CD as watched)."""
    jsonnet = at.mapping("jsonnet")
    more = {
        "ext_vars": tuple(_variable(item) for item in jsonnet.items("extVars")),
        "tlas": tuple(_variable(item) for item in jsonnet.items("tlas")),
    }
    libs = jsonnet.texts("libs")
    deciding = (at.raw.get(key) for key in ("recurse", "include", "exclude"))
    if not any(deciding) and not (libs or any(more.values())):
        return None
    return DirectoryOptions(
        **more,
        libs=libs,
        recurse=at.flag("recurse"),
        include=at.text("include"),
        exclude=at.text("exclude"),
        disable_extension_filter=at.flag("disableExtensionFilter"),
    )


def _variable(at: Reader) -> JsonnetVariable:
    return JsonnetVariable(name=at.text("name"), value=at.text("value"), code=at.flag("code"))


def read_plugin_options(at: Reader) -> PluginOptions:
    """`source.plugin`, Argo CD's names."""
    return PluginOptions(
        name=at.text("name"),
        env=tuple((item.text("name"), item.text("value")) for item in at.items("env")),
        parameters=tuple(
            PluginParameter(
                name=item.text("name"),
                string=item.text("string") if item.has("string") else None,
                array=item.texts("array") if item.has("array") else None,
                map=tuple(sorted(item.text_map("map").items())) if item.has("map") else None,
            )
            for item in at.items("parameters")
        ),
    )


_SHAPES_NOTHING = (
    "commonAnnotationsEnvsubst", "forceCommonLabels", "forceCommonAnnotations",
    "labelWithoutSelector", "labelIncludeTemplates",
)  # fmt: skip  # how labels and annotations are put on, where there are any


def read_kustomize(at: Reader) -> KustomizeOptions | None:
    """`source.kustomize`, Argo CD's names, and `generate`, which is Kilde's own; an empty block decides nothing."""
    at.text("kubeVersion"), at.texts("apiVersions")  # for charts in a kustomization, which are refused
    options = KustomizeOptions(
        version=at.text("version"),
        name_prefix=at.text("namePrefix"),
        name_suffix=at.text("nameSuffix"),
        namespace=at.text("namespace"),
        images=at.texts("images"),
        replicas=tuple(_replica(item) for item in at.items("replicas")),
        common_labels=at.text_map("commonLabels"),
        common_annotations=at.text_map("commonAnnotations"),
        annotations_envsubst=at.flag("commonAnnotationsEnvsubst"),
        force_common_labels=at.flag("forceCommonLabels"),
        force_common_annotations=at.flag("forceCommonAnnotations"),
        label_without_selector=at.flag("labelWithoutSelector"),
        label_include_templates=at.flag("labelIncludeTemplates"),
        patches=tuple(dict(item.raw) for item in at.items("patches")),
        components=at.texts("components"),
        ignore_missing_components=at.flag("ignoreMissingComponents"),
        generate=at.flag("generate"),
    )
    return options if any(value for key, value in at.raw.items() if key not in _SHAPES_NOTHING) else None


def _replica(at: Reader) -> tuple[str, int]:
    """`count` may be written as a number or as text, as Argo CD takes it."""
    count = at.raw.get("count")
    if isinstance(count, str) and count.isdigit():
        return at.text("name"), int(count)
    return at.text("name"), at.number("count", 0)


def read_helm(at: Reader) -> HelmOptions | None:
    """`source.helm`, Argo CD's names; an empty block decides nothing. `valuesObject` wins over `values`."""
    if at.text("version") not in ("", "v3"):
        at.problem("version", f"'{at.text('version')}' is no version that is known; leave it out")
    values = at.text("values")
    inline = at.raw.get("valuesObject")
    if inline is not None and not isinstance(inline, dict):
        at.problem("valuesObject", "must be an object")
    elif inline:
        values = write_document(inline)
    options = HelmOptions(
        release_name=at.text("releaseName"),
        namespace=at.text("namespace"),
        value_files=at.texts("valueFiles"),
        ignore_missing_value_files=at.flag("ignoreMissingValueFiles"),
        values=values,
        parameters=tuple(_parameter(item) for item in at.items("parameters")),
        file_parameters=tuple((item.text("name"), item.text("path")) for item in at.items("fileParameters")),
        skip_crds=at.flag("skipCrds"),
        skip_tests=at.flag("skipTests"),
        skip_schema_validation=at.flag("skipSchemaValidation"),
        pass_credentials=at.flag("passCredentials"),
        kube_version=at.text("kubeVersion"),
        api_versions=at.texts("apiVersions"),
    )
    return options if any(at.raw.values()) else None


def _parameter(at: Reader) -> HelmParameter:
    return HelmParameter(name=at.text("name"), value=at.text("value"), forced=at.flag("forceString"))


def check_scheme(url: str, settings: Mapping[str, str]) -> None:
    """Raises RenderFailed unless argocd-cm's `helm.valuesFileSchemes` (unset: https and http) has the address' protocol."""
    allowed = [one.strip().lower() for one in str(settings.get("helm.valuesFileSchemes", "https, http")).split(",")]
    scheme = url.partition("://")[0].lower()
    if scheme not in allowed or scheme not in ("https", "http"):
        raise RenderFailed(f"the URL scheme '{scheme}' is not allowed", about=redact(url.partition("?")[0]))
