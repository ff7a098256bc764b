"""`scmProvider`: one parameter set for each repository of an organisation, and branch, that the filters choose."""

from collections.abc import Iterable
from typing import Any

from kilde.core.basics.errors import RenderFailed
from kilde.core.render.patterns import compile_pattern
from kilde.core.sets.failures import GeneratorFailed
from kilde.core.sets.forges import IN_SCM_PROVIDER
from kilde.core.sets.forges.forge import Forge, Repository
from kilde.core.sets.generators.asking import Asking, Generator, Spec, items, text
from kilde.core.sets.naming import normalized
from kilde.core.sets.parameters import Parameters, bounded

_EVERY = 1800.0
_OF_THE_BRANCH = ("pathsExist", "pathsDoNotExist", "branchMatch")
_OF_THE_REPOSITORY = ("repositoryMatch", "labelMatch")


def _give(spec: Spec, asking: Asking) -> list[Parameters]:
    name = next((name for name in IN_SCM_PROVIDER if spec.get(name) is not None), "")
    if not name:
        raise GeneratorFailed("no SCM provider implementation configured")
    asking.policy.check(spec[name])
    forge = IN_SCM_PROVIDER[name](spec[name], asking.outside, authority_file=asking.policy.authority_file)
    filters = items(spec, "filters")
    of_branch = [each for each in filters if any(each.get(key) is not None for key in _OF_THE_BRANCH)]
    of_repository = [
        each
        for each in filters
        if each not in of_branch and any(each.get(key) is not None for key in _OF_THE_REPOSITORY)
    ]
    chosen = _passing(forge.repositories(text(spec, "cloneProtocol")), of_repository, forge)
    found: list[Parameters] = []
    for repository in chosen:
        for at_branch in _passing(forge.branches(repository), of_branch, forge):
            found.append(asking.values(spec, _parameters(at_branch)))
            bounded(found)
    return found


def _passing(repositories: Iterable[Repository], filters: list[Any], forge: Forge) -> list[Repository]:
    """Those that one of the filters lets pass; all, where there is none."""
    return [each for each in repositories if not filters or any(_passes(each, filter_, forge) for filter_ in filters)]


def _passes(repository: Repository, filter_: Any, forge: Forge) -> bool:
    if not matches(filter_.get("repositoryMatch"), repository.name):
        return False
    if not matches(filter_.get("branchMatch"), repository.branch):
        return False
    label = filter_.get("labelMatch")
    if label is not None and not any(matches(label, each) for each in repository.labels):
        return False
    there = all(forge.has_path(repository, str(path).rstrip("/")) for path in filter_.get("pathsExist") or ())
    return there and not any(
        forge.has_path(repository, str(path).rstrip("/")) for path in filter_.get("pathsDoNotExist") or ()
    )


def matches(pattern: Any, value: str) -> bool:
    """Whether a regular expression (RE2) is found in the text; true where there is none."""
    if pattern is None:
        return True
    try:
        return compile_pattern(str(pattern)).search(value)
    except RenderFailed as error:
        raise GeneratorFailed(f"error compiling regexp: {error}") from error


def _parameters(repository: Repository) -> Parameters:
    return {
        "organization": repository.organization,
        "repository": repository.name,
        "repository_id": repository.id,
        "url": repository.url,
        "branch": repository.branch,
        "sha": repository.sha,
        "short_sha": repository.sha[:8],
        "short_sha_7": repository.sha[:7],
        "labels": ",".join(repository.labels),
        "branchNormalized": normalized(repository.branch),
    }


GENERATOR = Generator(give=_give, requeue=_EVERY)
