"""Gitea, and Forgejo, which has the same API."""

from collections.abc import Iterator
from urllib.parse import quote

from kilde.core.sets.failures import GeneratorFailed, RepositoryNotThere
from kilde.core.sets.forges.forge import Forge, PullRequest, Repository, clone_url, field_of, part

_LIMIT = 50  # what a server gives at most, unless its owner says otherwise


class Gitea(Forge):
    """REST v1."""

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

    def has_path(self, repository: Repository, path: str) -> bool:
        root = f"repos/{part(repository.organization)}/{part(repository.name)}/contents"
        return self.get(f"{root}/{quote(path)}", missing=True, ref=repository.branch).status != 404

    def pull_requests(self) -> Iterator[PullRequest]:
        where = f"repos/{part(self.word('owner'))}/{part(self.word('repo'))}/pulls"
        for page in self.by_link(where, missing=True, state="open", limit=_LIMIT):
            if page.status == 404:
                raise RepositoryNotThere("the repository was not found", about=where)
            for each in page.body or ():
                labels = tuple(field_of(label, "name") for label in each.get("labels") or ())
                if not set(self.labels) <= set(labels):
                    continue
                yield PullRequest(
                    number=int(each.get("number") or 0),
                    title=field_of(each, "title"),
                    branch=field_of(each, "head", "ref"),
                    target_branch=field_of(each, "base", "ref"),
                    sha=field_of(each, "head", "sha"),
                    author=field_of(each, "user", "login"),
                    labels=labels,
                )
