"""Objects that an API server of the target version would refuse or warn of, and kinds that nobody has a schema of."""

from collections.abc import Iterator

from kilde.core.check.api_versions import RETIRED
from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.places import field_path
from kilde.core.check.rule import Rule
from kilde.core.check.unsaid import is_secret_field
from kilde.core.objects.manifest import Manifest


def _schema(context: Context) -> Iterator[Problem]:
    for unit, item in context.items():
        fit = context.schemas.judge(item.manifest.body)
        mistake = item.manifest.mistake
        for misfit in fit.misfits if fit is not None else ():
            if mistake is not None and "ObjectMeta" in misfit.message:
                continue  # another rule tells it, with its line
            path, what = field_path(misfit.field), misfit.message
            if is_secret_field(path):
                what = f"{what.partition(':')[0]} (what stands there is not told)"
            message = f"{misfit.field}: {what}" if misfit.field else what
            hint = f"as Kubernetes {context.schemas.version} has it"
            yield context.problem(unit, item, message, path=path, hint=hint)


def _warnings(context: Context) -> Iterator[Problem]:
    for unit, item in context.items():
        fit = context.schemas.judge(item.manifest.body)
        for warning in fit.warnings if fit is not None else ():
            yield context.problem(unit, item, warning, path=field_path(warning.partition(": ")[0]))


def _unknown(context: Context) -> Iterator[Problem]:
    if not context.schemas.version:
        return
    seen = set()
    for unit, item in context.items():
        manifest = item.manifest
        kind = (manifest.api_version, manifest.kind)
        if kind in seen or kind in RETIRED or is_rendering_aid(manifest):
            continue
        if context.schemas.judge(manifest.body) is None:
            seen.add(kind)
            message = f"there is no schema of {manifest.api_version} {manifest.kind}"
            yield context.problem(
                unit,
                item,
                message,
                path=("kind",),
                hint="put its CustomResourceDefinition into the repository to have it judged",
            )


def is_rendering_aid(manifest: Manifest) -> bool:
    """Whether it is read by kustomize and never sent to a cluster."""
    return manifest.group in ("kustomize.config.k8s.io", "config.kubernetes.io")


SCHEMA = Rule(
    id="schema",
    title="an object that the API server would refuse",
    severity=Severity.ERROR,
    docs="A field is unknown, of the wrong type or against a rule of its kind, in the words of the API server of the target version "
    "(--kubernetes-version, or kubernetesVersion in .kilde.yaml). Custom resources are held against CRDs of the repository.",
    judge=_schema,
)
SERVER_WARNING = Rule(
    id="server-warning",
    title="an object that the API server warns of",
    severity=Severity.WARNING,
    docs="The API server would take the object and warn of it, in these words: a field without effect, a deprecated annotation, "
    "something that is there twice.",
    judge=_warnings,
)
UNKNOWN_KIND = Rule(
    id="unknown-kind",
    title="a kind without a schema",
    severity=Severity.NOTE,
    docs="The kind is not built in and no CustomResourceDefinition in the repository defines it: its objects are not "
    "held against a schema. "
    "Told once for each kind.",
    judge=_unknown,
)
