"""GitLab, its own and self-managed."""

from collections.abc import Iterator
from typing import Any

from kilde.core.sets.failures import GeneratorFailed, RepositoryNotThere
from kilde.core.sets.forges.forge import Forge, Page, PullRequest, Repository, clone_url, field_of, part

_MOST_PAGES = 500


class GitLab(Forge):
    """REST v4."""

    address = "https://gitlab.com/"

    of_ones_own = True

    def api(self, address: str) -> str:
        root = address.rstrip("/")
        return root if root.endswith("api/v4") else f"{root}/api/v4"

    def headers(self) -> dict[str, str]:
        token = self.token("tokenRef")
        return {"PRIVATE-TOKEN": token} if token else {}

    def repositories(self, protocol: str) -> Iterator[Repository]:
        shared = self.config.get("includeSharedProjects")
        query: dict[str, Any] = {
            "include_subgroups": _flag(self.config.get("includeSubgroups")),
            "with_shared": _flag(True if shared is None else shared),
            "topic": self.word("topic") or None,
            "archived": "true" if self.config.get("includeArchivedRepos") else None,
        }
        for page in self._pages(f"groups/{part(self.word('group'))}/projects", **query):
            for each in page.body:
                yield Repository(
                    organization=field_of(each, "namespace", "full_path"),
                    name=field_of(each, "path"),
                    url=clone_url(
                        protocol,
                        ssh=field_of(each, "ssh_url_to_repo"),
                        https=field_of(each, "http_url_to_repo"),
                        forge="Gitlab",
                    ),
                    branch=field_of(each, "default_branch"),
                    labels=tuple(each.get("topics") or each.get("tag_list") or ()),
                    id=each.get("id"),
                )

    def branches(self, repository: Repository) -> Iterator[Repository]:
        root = f"projects/{part(repository.id)}/repository/branches"
        if self.all_branches:
            found = [each for page in self._pages(root, missing=True) for each in page.body or ()]
        else:
            one = self.get(f"{root}/{part(repository.branch)}", missing=True).body
            found = [one] if one is not None else []
        for each in found:
            yield repository.at(field_of(each, "name"), field_of(each, "commit", "id"))

    def has_path(self, repository: Repository, path: str) -> bool:
        root = f"projects/{part(repository.id)}/repository"
        if self.get(f"{root}/files/{part(path)}", missing=True, ref=repository.branch).status != 404:
            return True
        tree = self.get(f"{root}/tree?path={part(path)}", missing=True, ref=repository.branch)
        return tree.status != 404 and bool(tree.body)

    def pull_requests(self) -> Iterator[PullRequest]:
        where = f"projects/{part(self.word('project'))}/merge_requests"
        query: dict[str, Any] = {
            "labels": ",".join(self.labels) or None,
            "state": self.word("pullRequestState") or None,
        }
        for page in self._pages(where, missing=True, **query):
            if page.body is None:
                raise RepositoryNotThere("the project was not found", about=where)
            for each in page.body:
                yield PullRequest(
                    number=int(each.get("iid") or 0),
                    title=field_of(each, "title"),
                    branch=field_of(each, "source_branch"),
                    target_branch=field_of(each, "target_branch"),
                    sha=field_of(each, "sha"),
                    author=field_of(each, "author", "username"),
                    labels=tuple(str(label) for label in each.get("labels") or ()),
                )

    def _pages(self, path: str, *, missing: bool = False, **query: Any) -> Iterator[Page]:
        """Page after page, as the header X-Next-Page leads."""
        number = "1"
        for _ in range(_MOST_PAGES):
            page = self.get(path, missing=missing, **query, per_page=100, page=number)
            yield page
            number = page.headers.get("x-next-page", "")
            if not number:
                return
        raise GeneratorFailed(f"the forge has more than {_MOST_PAGES} pages", about=path)


def _flag(value: Any) -> str:
    return "true" if value else "false"
