"""Local manifests: objects that somebody hands over in an operation, instead of what the sources have."""

from kilde.core.apps.application import Application
from kilde.core.apps.operation import Operation
from kilde.core.basics.errors import InvalidInput, InvalidYaml, LimitExceeded
from kilde.core.basics.json_words import json_problem
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.plan.masking import is_secret
from kilde.core.render.directory import unpacked

_MOST_BYTES = 1 << 20  # the whole Application has to fit into etcd


def local_refusal(app: Application, operation: Operation, *, signed: bool) -> str:
    """Why manifests may not be handed over; "" where they may. `signed`: the project demands signed commits."""
    if signed:
        return "Cannot use local sync when signature keys are required."
    if app.policy.automated is not None and not operation.dry_run:
        return "Cannot use local sync when Automatic Sync Policy is enabled unless for dry run"
    return ""


def local_manifests(texts: tuple[str, ...]) -> tuple[Manifest, ...]:
    """The objects. Raises InvalidInput for what is none, and for a Secret with values: the operation is kept in the status."""
    if sum(map(len, texts)) > _MOST_BYTES:
        raise LimitExceeded(f"local manifests of more than {_MOST_BYTES} characters together")
    found: list[Manifest] = []
    for number, text in enumerate(texts, start=1):
        try:
            for document in read_documents(text.encode(), file=f"local manifest {number}"):
                if document.value is not None:
                    found += unpacked(document.value, document, document.line)
        except InvalidInput as error:
            raise InvalidInput(f"ComparisonError: Failed to load local manifests: {_unread(text, error)}") from error
    for manifest in found:
        if is_secret(manifest.body) and (manifest.body.get("data") or manifest.body.get("stringData")):
            hint = "seal it, or let it come from Git"
            raise InvalidInput(
                "its values would be kept in the Application", about=f"Secret {manifest.name}", hint=hint
            )
    return tuple(found)


def _unread(text: str, error: InvalidInput) -> str:
    """Go's words for broken JSON, which is all that Argo CD takes; ours for what is broken otherwise."""
    broken = isinstance(error, InvalidYaml) and text.lstrip().startswith("{")
    words = json_problem(text.encode()) if broken else ""
    return words if words.startswith(("invalid character", "unexpected end")) else str(error)
