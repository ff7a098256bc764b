"""API versions that the target version of Kubernetes does not serve any more, or will not for long."""

from collections.abc import Iterator

from kilde.core.check.api_versions import RETIRED, Release, Retired
from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.rule import Rule
from kilde.core.objects.ref import join_api_version, split_api_version
from kilde.core.objects.typed.schema import builtin


def _target(context: Context) -> Release | None:
    parts = context.schemas.version.split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 else None


def _removed(context: Context) -> Iterator[Problem]:
    yield from _judge(context, removed=True)


def _deprecated(context: Context) -> Iterator[Problem]:
    yield from _judge(context, removed=False)


def _judge(context: Context, *, removed: bool) -> Iterator[Problem]:
    target = _target(context)
    for unit, item in context.items() if target else ():
        manifest = item.manifest
        retired = RETIRED.get((manifest.api_version, manifest.kind))
        if (
            retired is None
            or target is None
            or target < retired.deprecated
            or (target >= retired.removed) is not removed
        ):
            continue
        what = f"{manifest.api_version} {manifest.kind}"
        if removed:
            message = f"{what} is not served since Kubernetes {_word(retired.removed)}"
        else:
            until = f", and not served from {_word(retired.removed)} on" if retired.removed[0] < 99 else ""
            message = f"{what} is deprecated since Kubernetes {_word(retired.deprecated)}{until}"
        yield context.problem(unit, item, message, path=("apiVersion",), hint=_hint(retired, context.schemas.version))


def _hint(retired: Retired, version: str) -> str:
    """What this version serves in its place; what the newest one serves where this one has nothing."""
    if not retired.instead:
        return "there is nothing in its place"
    api_version, _, name = retired.instead.partition(" ")
    group = split_api_version(api_version)[0]
    served = {
        join_api_version(kind.group, kind.version)
        for kind in builtin(version).kinds
        if (kind.group, kind.kind) == (group, name)
    } - {retired.api_version}
    if api_version not in served and served:
        api_version = min(served, key=lambda one: ("alpha" in one, "beta" in one, one))
    return f"use {api_version} {name}"


def _word(release: Release) -> str:
    return f"{release[0]}.{release[1]}"


API_REMOVED = Rule(
    id="api-removed",
    title="an API version that is not served any more",
    severity=Severity.ERROR,
    docs="The target version of Kubernetes does not serve the apiVersion of an object: it cannot be applied. Write it "
    "in the version that is "
    "named; fields may have moved.",
    judge=_removed,
)
API_DEPRECATED = Rule(
    id="api-deprecated",
    title="an API version that will go",
    severity=Severity.WARNING,
    docs="The apiVersion of an object is served, but deprecated: a later version of Kubernetes will refuse it.",
    judge=_deprecated,
)
