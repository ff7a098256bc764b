"""`pullRequest`: one parameter set for each open pull request of a repository that the filters choose."""

from typing import Any

from kilde.core.sets.failures import GeneratorFailed, RepositoryNotThere, within
from kilde.core.sets.forges import IN_PULL_REQUEST
from kilde.core.sets.forges.forge import PullRequest
from kilde.core.sets.generators.asking import Asking, Generator, Spec, items
from kilde.core.sets.generators.scm_provider import matches
from kilde.core.sets.naming import branch_slug
from kilde.core.sets.parameters import Parameters, Texts, bounded

_EVERY = 1800.0


def _give(spec: Spec, asking: Asking) -> list[Parameters]:
    with within("failed to select pull request service provider"):
        name = next((name for name in IN_PULL_REQUEST if spec.get(name) is not None), "")
        if not name:
            raise GeneratorFailed("no Pull Request provider implementation configured")
        asking.policy.check(spec[name])
        forge = IN_PULL_REQUEST[name](spec[name], asking.outside, authority_file=asking.policy.authority_file)
    filters = items(spec, "filters")
    found: list[Parameters] = []
    try:
        for pull in forge.pull_requests():
            if not filters or any(_passes(pull, filter_) for filter_ in filters):
                found.append(asking.values(spec, _parameters(pull, go=asking.filler.go)))
                bounded(found)
    except RepositoryNotThere:
        if not spec.get("continueOnRepoNotFoundError"):
            raise
        return []
    return found


def _passes(pull: PullRequest, filter_: Any) -> bool:
    return (
        matches(filter_.get("branchMatch"), pull.branch)
        and matches(filter_.get("targetBranchMatch"), pull.target_branch)
        and matches(filter_.get("titleMatch"), pull.title)
    )


def _parameters(pull: PullRequest, *, go: bool) -> Parameters:
    out: Parameters = {
        "number": str(pull.number),
        "title": pull.title,
        "branch": pull.branch,
        "branch_slug": branch_slug(pull.branch),
        "target_branch": pull.target_branch,
        "target_branch_slug": branch_slug(pull.target_branch),
        "head_sha": pull.sha,
        "head_short_sha": pull.sha[:8],
        "head_short_sha_7": pull.sha[:7],
        "author": pull.author,
    }
    return out | {"labels": Texts(pull.labels)} if go else out


GENERATOR = Generator(give=_give, requeue=_EVERY)
