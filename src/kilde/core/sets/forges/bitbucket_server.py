"""Bitbucket Server and Data Center."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from kilde.core.sets.failures import RepositoryNotThere
from kilde.core.sets.forges.forge import Forge, PullRequest, Repository, clone_url, field_of, part


class BitbucketServer(Forge):
    """REST 1.0."""

    of_ones_own = True

    def api(self, address: str) -> str:
        root = address.rstrip("/")
        return f"{root}/api/1.0" if root.endswith("/rest") else f"{root}/rest/api/1.0"

    def headers(self) -> dict[str, str]:
        known = self.basic_or_bearer()  # the two others spare us the check against forged requests
        return {**known, "x-atlassian-token": "no-check", "x-requested-with": "XMLHttpRequest"} if known else {}

    def repositories(self, protocol: str) -> Iterator[Repository]:
        for page in self.by_start(f"projects/{part(self.word('project'))}/repos"):
            for each in page.body.get("values") or ():
                links = (each.get("links") or {}).get("clone") or ()
                urls = {field_of(link, "name"): field_of(link, "href") for link in links}
                url = clone_url(protocol, ssh=urls.get("ssh", ""), https=urls.get("http", ""), forge="Bitbucket Server")
                project, name = field_of(each, "project", "key"), field_of(each, "name")
                branch = self._default_branch(project, name)
                if branch is not None:
                    yield Repository(
                        organization=project,
                        name=name,
                        url=url,
                        branch=field_of(branch, "displayId"),
                        sha=field_of(branch, "latestCommit"),
                        id=each.get("id"),
                    )

    def branches(self, repository: Repository) -> Iterator[Repository]:
        if self.all_branches:
            pages = self.by_start(f"{self._root(repository.organization, repository.name)}/branches")
            found = [each for page in pages for each in page.body.get("values") or ()]
        else:
            one = self._default_branch(repository.organization, repository.name)
            found = [one] if one is not None else []
        for each in found:
            yield repository.at(field_of(each, "displayId"), field_of(each, "latestCommit"))

    def has_path(self, repository: Repository, path: str) -> bool:
        where = f"{self._root(repository.organization, repository.name)}/browse/{quote(path)}"
        return self.get(where, missing=True, at=repository.branch, type="true", limit=100).status != 404

    def pull_requests(self) -> Iterator[PullRequest]:
        where = f"{self._root(self.word('project'), self.word('repo'))}/pull-requests"
        for page in self.by_start(where, missing=True):
            if page.body is None:
                raise RepositoryNotThere("the repository was not found", about=where)
            for each in page.body.get("values") or ():
                yield PullRequest(
                    number=int(each.get("id") or 0),
                    title=field_of(each, "title"),
                    branch=field_of(each, "fromRef", "displayId"),
                    target_branch=field_of(each, "toRef", "displayId"),
                    sha=field_of(each, "fromRef", "latestCommit"),
                    author=field_of(each, "author", "user", "name"),
                )

    def _default_branch(self, project: str, name: str) -> Any:
        return self.get(f"{self._root(project, name)}/branches/default", missing=True).body

    def _root(self, project: str, name: str) -> str:
        return f"projects/{part(project)}/repos/{part(name)}"
