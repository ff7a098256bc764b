"""Bitbucket Cloud."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from kilde.core.sets.failures import GeneratorFailed, RepositoryNotThere
from kilde.core.sets.forges.forge import Forge, PullRequest, Repository, basic, field_of, part

_MOST_PAGES = 500


class Bitbucket(Forge):
    """REST 2.0. Of the scmProvider generator the user's app password is used, of pullRequest what its block says."""

    address = "https://api.bitbucket.org/2.0"

    def headers(self) -> dict[str, str]:
        if self.config.get("appPasswordRef"):
            return basic(self.word("user"), self.token("appPasswordRef"))
        return self.basic_or_bearer()

    def repositories(self, protocol: str) -> Iterator[Repository]:
        wanted = protocol or "ssh"
        for each in self._all(f"repositories/{part(self.word('owner'))}", role="member", pagelen=100):
            links = (each.get("links") or {}).get("clone") or ()
            urls = {field_of(link, "name"): field_of(link, "href") for link in links}
            if wanted not in urls:
                raise GeneratorFailed(f"unknown clone protocol for Bitbucket cloud {wanted}")
            yield Repository(
                organization=self.word("owner"),
                name=field_of(each, "slug"),
                url=urls[wanted],
                branch=field_of(each, "mainbranch", "name"),
                labels=(),
                id=each.get("uuid"),
            )

    def branches(self, repository: Repository) -> Iterator[Repository]:
        root = f"repositories/{part(self.word('owner'))}/{part(repository.name)}/refs/branches"
        found = (
            self._all(root, pagelen=100)
            if self.all_branches
            else iter([self.get(f"{root}/{part(repository.branch)}").body])
        )
        for each in found:
            yield repository.at(field_of(each, "name"), field_of(each, "target", "hash"))

    def has_path(self, repository: Repository, path: str) -> bool:
        root = f"repositories/{part(self.word('owner'))}/{part(repository.name)}/src"
        return self.get(f"{root}/{part(repository.sha)}/{quote(path)}", missing=True, format="meta").status != 404

    def pull_requests(self) -> Iterator[PullRequest]:
        where = f"repositories/{part(self.word('owner'))}/{part(self.word('repo'))}/pullrequests"
        for each in self._all(where, missing=True, pagelen=50):
            yield PullRequest(
                number=int(each.get("id") or 0),
                title=field_of(each, "title"),
                branch=field_of(each, "source", "branch", "name"),
                target_branch=field_of(each, "destination", "branch", "name"),
                sha=field_of(each, "source", "commit", "hash"),
                author=field_of(each, "author", "nickname"),
            )

    def _all(self, path: str, *, missing: bool = False, **query: Any) -> Iterator[Any]:
        """Every value of page after page, as the field `next` leads."""
        page = self.get(path, missing=missing, **query)
        for _ in range(_MOST_PAGES):
            if page.body is None:
                raise RepositoryNotThere("the repository was not found", about=path)
            yield from page.body.get("values") or ()
            following = field_of(page.body, "next")
            if not following:
                return
            page = self.get(following)
        raise GeneratorFailed(f"the forge has more than {_MOST_PAGES} pages", about=path)
