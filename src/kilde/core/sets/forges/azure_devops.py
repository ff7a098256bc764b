"""Azure DevOps, the service and the server."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from kilde.core.sets.failures import GeneratorFailed, RepositoryNotThere
from kilde.core.sets.forges.forge import Forge, PullRequest, Repository, basic, field_of, part

_VERSION = "7.1"
Query = dict[str, Any]
_BRANCH = "refs/heads/"
_PER_PAGE = 100
_MOST_PAGES = 500


class AzureDevOps(Forge):
    """REST 7.1."""

    address = "https://dev.azure.com"

    def api(self, address: str) -> str:
        project = self.word("teamProject") or self.word("project")
        return f"{address.rstrip('/')}/{part(self.word('organization'))}/{part(project)}/_apis/git"

    def headers(self) -> dict[str, str]:
        token = self.token("accessTokenRef") or self.token("tokenRef")
        if not token and self.config.get("teamProject"):
            raise GeneratorFailed("no access token provided")
        return basic("", token) if token else {}

    def repositories(self, protocol: str) -> Iterator[Repository]:
        del protocol  # there is one address
        for each in self.get(f"repositories?api-version={_VERSION}").body.get("value") or ():
            if all(each.get(key) for key in ("name", "defaultBranch", "remoteUrl", "id")):
                yield Repository(
                    organization=self.word("organization"),
                    name=field_of(each, "name"),
                    url=field_of(each, "remoteUrl"),
                    branch=field_of(each, "defaultBranch"),
                    id=each.get("id"),
                )

    def branches(self, repository: Repository) -> Iterator[Repository]:
        where = f"repositories/{part(repository.name)}/stats/branches"
        name = None if self.all_branches else repository.branch.replace(_BRANCH, "", 1)
        query: Query = {"api-version": _VERSION} if name is None else {"api-version": _VERSION, "name": name}
        body = self.get(where, missing=True, **query).body
        if body is None:
            return
        for each in (body.get("value") or ()) if name is None else (body,):
            yield repository.at(field_of(each, "name"), field_of(each, "commit", "commitId"))

    def has_path(self, repository: Repository, path: str) -> bool:
        query: Query = {"api-version": _VERSION, "versionDescriptor.version": repository.branch}
        where = f"repositories/{part(repository.id)}/items?path={quote(path, safe='')}"
        return self.get(where, missing=True, **query).status != 404

    def pull_requests(self) -> Iterator[PullRequest]:
        for number in range(_MOST_PAGES):
            query: Query = {"api-version": _VERSION, "$top": _PER_PAGE, "$skip": number * _PER_PAGE}
            body = self.get("pullrequests", missing=True, **query).body
            if body is None:
                raise RepositoryNotThere("the project was not found", about=self.word("project"))
            found = body.get("value") or ()
            for each in found:
                labels = tuple(field_of(label, "name") for label in each.get("labels") or ())
                ours = field_of(each, "repository", "name") == self.word("repo") and set(self.labels) <= set(labels)
                if ours and field_of(each, "lastMergeSourceCommit", "commitId"):
                    yield PullRequest(
                        number=int(each.get("pullRequestId") or 0),
                        title=field_of(each, "title"),
                        branch=field_of(each, "sourceRefName").replace(_BRANCH, "", 1),
                        target_branch=field_of(each, "targetRefName").replace(_BRANCH, "", 1),
                        sha=field_of(each, "lastMergeSourceCommit", "commitId"),
                        author=field_of(each, "createdBy", "uniqueName").partition("@")[0],
                        labels=labels,
                    )
            if len(found) < _PER_PAGE:
                return
