"""Gitea, and Forgejo, which has the same API."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from kilde.core.sets.failures import GeneratorFailed
from kilde.core.sets.forges.forge import Repository, clone_url, field_of, part
from kilde.core.sets.forges.github_like import GitHubLike

_LIMIT = 50  # what a server gives at most, unless its owner says otherwise


class Gitea(GitHubLike):
    """REST v1."""

    pulls: ClassVar[Mapping[str, Any]] = {"state": "open", "limit": _LIMIT}

    def api(self, address: str) -> str:
        return f"{address.rstrip('/')}/api/v1"

    def headers(self) -> dict[str, str]:
        token = self.token("tokenRef")
        return {"Authorization": f"token {token}"} if token else {}

    def repositories(self, protocol: str) -> Iterator[Repository]:
        owner = self.word("owner")
        for page in self.by_link(f"orgs/{part(owner)}/repos", limit=_LIMIT):
            for each in page.body or ():
                if self.config.get("excludeArchivedRepos") and each.get("archived"):
                    continue
                name = field_of(each, "name")
                labels = self.get(f"repos/{part(owner)}/{part(name)}/labels", limit=_LIMIT).body or ()
                yield Repository(
                    organization=owner,
                    name=name,
                    url=clone_url(
                        protocol, ssh=field_of(each, "ssh_url"), https=field_of(each, "html_url"), forge="Gitea"
                    ),
                    branch=field_of(each, "default_branch"),
                    labels=tuple(field_of(label, "name") for label in labels),
                    id=each.get("id"),
                )

    def branches(self, repository: Repository) -> Iterator[Repository]:
        root = f"repos/{part(self.word('owner'))}/{part(repository.name)}/branches"
        if self.all_branches:
            for page in self.by_link(root, limit=_LIMIT):
                for each in page.body or ():
                    yield repository.at(field_of(each, "name"), field_of(each, "commit", "id"))
            return
        one = self.get(f"{root}/{part(repository.branch)}", missing=True).body
        if one is None:
            raise GeneratorFailed(
                f'got 404 while getting default branch "{repository.branch}" for repo "{repository.name}"'
                " - check your repo config"
            )
        yield repository.at(repository.branch, field_of(one, "commit", "id"))
