"""Conditions of an application, worded for people; where Argo CD has words for the same, these."""

import re
from collections.abc import Iterable

from kilde.core.apps.application import Application
from kilde.core.apps.sources import Source
from kilde.core.basics.errors import KildeError, PathNotFound, RevisionNotFound, SourceUnavailable
from kilde.core.objects.ref import ObjectRef
from kilde.core.render.kustomize.build import VERSION

_NAMED_THEMSELVES = re.compile(r"^spec\.(destination|source|sources|sources\[\d+\]): ")


def comparison_error(
    error: KildeError, *, path: str = "", revision: str = "", source: tuple[int, int] = (1, 1)
) -> tuple[str, str]:
    """Why the wanted objects could not be worked out. `source`: which of how many could not be rendered."""
    load = "Failed to load target state: failed to generate manifest for source {} of {}: ".format(*source)
    if isinstance(error, PathNotFound) and error.about == path and path:
        return "ComparisonError", f"{load}rpc error: code = Unknown desc = {path}: {error.what}"
    if isinstance(error, SourceUnavailable) and error.what == "repository not found":
        return "ComparisonError", f"{load}rpc error: code = Unknown desc = failed to list refs: repository not found"
    if isinstance(error, RevisionNotFound):
        return "ComparisonError", f"{load}rpc error: code = Unknown desc = {error.what}"
    return "ComparisonError", f"{load}{error}"


def unused_version(sources: Iterable[Source]) -> list[tuple[str, str]]:
    """A version of kustomize that is asked for and is not ours: what is rendered may differ from what that one printed."""
    asked = {source.render.kustomize.version for source in sources if source.render.kustomize is not None}
    text = (
        f"source.kustomize.version '{{}}' is not used: kustomizations are rendered as kustomize {VERSION} renders them"
    )
    return [
        ("UnusedVersionWarning", text.format(one))
        for one in sorted(asked)
        if one and one != VERSION.removeprefix("v") and one != VERSION
    ]


def invalid_spec(problem: str) -> tuple[str, str]:
    """Why the application itself cannot be used."""
    if " is not allowed to use project " in problem:
        return "UnknownError", problem
    sentence = _NAMED_THEMSELVES.sub("", problem)
    if not sentence.startswith("must be "):
        problem = sentence  # Argo CD's own words, which name the field themselves
    return "InvalidSpecError", problem


def unusable_words(app: Application, problems: Iterable[str], *, has_project: bool) -> str:
    """How an operation ends that is asked of an application that cannot be used: without a project, without a cluster, or else."""
    if not has_project:
        name = app.project
        why = f'error getting app project "{name}": appproject.argoproj.io "{name}" not found'
        return f"Failed to load application project: {why}"
    homeless = [invalid_spec(problem)[1] for problem in problems if problem.startswith("spec.destination: ")]
    if homeless:
        return homeless[0]
    return ";".join(f"{kind}: {text}" for kind, text in sorted(map(invalid_spec, problems)))


def cluster_error(error: KildeError) -> tuple[str, str]:
    """Why the live objects could not be read."""
    return "ComparisonError", f"Failed to load live state: {error}"


def health_error(ref: ObjectRef, why: str) -> tuple[str, str]:
    """Why the check that is configured for an object did not judge it."""
    one = f'"{ref.kind}" with name "{ref.name}" in namespace "{ref.namespace}"'
    text = (
        f"failed to get resource health for {one}: failed to get resource health for {ref.namespace}/{ref.name}: {why}"
    )
    return "ComparisonError", f"error setting app health: {text}"


def deletion_error(app: Application) -> tuple[str, str] | None:
    """What it tells already of why its objects do not go; a look at it does not take that away."""
    told = (one for one in app.status.get("conditions") or () if one.get("type") == "DeletionError")
    return next((("DeletionError", str(one.get("message"))) for one in told), None)
