"""What the API of GitHub and those made after it have in common: files of a repository, and pull requests."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from kilde.core.sets.failures import RepositoryNotThere
from kilde.core.sets.forges.forge import Forge, PullRequest, Repository, field_of, part


class GitHubLike(Forge):
    """A forge that is asked as GitHub is."""

    pulls: ClassVar[Mapping[str, Any]]
    """What its list of pull requests is asked with."""

    def has_path(self, repository: Repository, path: str) -> bool:
        root = f"repos/{part(repository.organization)}/{part(repository.name)}/contents"
        return self.get(f"{root}/{quote(path)}", missing=True, ref=repository.branch).status != 404

    def pull_requests(self) -> Iterator[PullRequest]:
        where = f"repos/{part(self.word('owner'))}/{part(self.word('repo'))}/pulls"
        for page in self.by_link(where, missing=True, **self.pulls):
            if page.status == 404:
                raise RepositoryNotThere("the repository was not found", about=where)
            for each in page.body or ():
                labels = tuple(field_of(label, "name") for label in each.get("labels") or ())
                if set(self.labels) <= set(labels):
                    yield PullRequest(
                        number=int(each.get("number") or 0),
                        title=field_of(each, "title"),
                        branch=field_of(each, "head", "ref"),
                        target_branch=field_of(each, "base", "ref"),
                        sha=field_of(each, "head", "sha"),
                        author=field_of(each, "user", "login"),
                        labels=labels,
                    )
