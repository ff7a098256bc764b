"""Conditions of an application, worded for people; where Argo CD has words for the same, these."""

from kilde.core.basics.errors import KildeError, PathNotFound, RevisionNotFound

_LOAD = "Failed to load target state: failed to generate manifest for source 1 of 1: "


def comparison_error(error: KildeError, *, path: str = "", revision: str = "") -> tuple[str, str]:
    """Why the wanted objects could not be worked out."""
    if isinstance(error, PathNotFound) and error.about == path and path:
        return "ComparisonError", f"{_LOAD}rpc error: code = Unknown desc = {path}: app path does not exist"
    if isinstance(error, RevisionNotFound):
        text = f"rpc error: code = Unknown desc = unable to resolve '{revision}' to a commit SHA"
        return "ComparisonError", f"{_LOAD}{text}" + (f" ({error.hint})" if error.hint else "")
    return "ComparisonError", f"{_LOAD}{error}"


def invalid_spec(problem: str) -> tuple[str, str]:
    """Why the application itself cannot be used."""
    for path in ("spec.destination: ", "spec.source: "):
        sentence = problem.removeprefix(path)
        if not sentence.startswith("must be "):
            problem = sentence  # Argo CD's own words, which name the field themselves
    return "InvalidSpecError", problem


def cluster_error(error: KildeError) -> tuple[str, str]:
    """Why the live objects could not be read."""
    return "ComparisonError", f"Failed to load live state: {error}"
