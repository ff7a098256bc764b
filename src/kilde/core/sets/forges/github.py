"""GitHub, and GitHub Enterprise Server."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from kilde.core.basics.github_app import API, installation_token, introduction
from kilde.core.sets.failures import GeneratorFailed
from kilde.core.sets.forges.forge import Repository, clone_url, field_of, part
from kilde.core.sets.forges.github_like import GitHubLike
from kilde.core.sets.outside import Request


class GitHub(GitHubLike):
    """REST v3."""

    address = API
    pulls: ClassVar[Mapping[str, Any]] = {"per_page": 100}

    def api(self, address: str) -> str:
        """An enterprise server's API is below /api/v3, unless the host or path says it already."""
        host = urlsplit(address).hostname or ""
        root = address.rstrip("/") + "/"
        if root.endswith("/api/v3/") or host.startswith("api.") or ".api." in host:
            return root
        return root + "api/v3/"

    def headers(self) -> dict[str, str]:
        app = self.word("appSecretName")
        token = self._app_token(app) if app else self.token("tokenRef")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def repositories(self, protocol: str) -> Iterator[Repository]:
        for page in self.by_link(f"orgs/{part(self.word('organization'))}/repos", per_page=100):
            for each in page.body:
                if self.config.get("excludeArchivedRepos") and each.get("archived"):
                    continue
                yield Repository(
                    organization=field_of(each, "owner", "login"),
                    name=field_of(each, "name"),
                    url=clone_url(
                        protocol, ssh=field_of(each, "ssh_url"), https=field_of(each, "clone_url"), forge="GitHub"
                    ),
                    branch=field_of(each, "default_branch"),
                    labels=tuple(each.get("topics") or ()),
                    id=each.get("id"),
                )

    def branches(self, repository: Repository) -> Iterator[Repository]:
        root = f"repos/{part(repository.organization)}/{part(repository.name)}/branches"
        if not self.all_branches:
            page = self.get(f"{root}/{part(repository.branch)}", missing=True)
            found = [page.body] if page.body is not None else []  # without its default branch it is empty
        else:
            found = [each for page in self.by_link(root, per_page=100) for each in page.body]
        for each in found:
            yield repository.at(field_of(each, "name"), field_of(each, "commit", "sha"))

    def _app_token(self, secret: str) -> str:
        """A token of a GitHub App's installation, for which the app's key signs."""
        data = self.outside.secret(secret)
        wanted = ("githubAppID", "githubAppInstallationID", "githubAppPrivateKey")
        missing = [key for key in wanted if not data.get(key)]
        if missing:
            raise GeneratorFailed(f"error fetching Github app secret: {secret} has no {', '.join(missing)}")
        try:
            signed = introduction(data["githubAppID"], data["githubAppPrivateKey"], self.outside.now())
        except ValueError as error:
            raise GeneratorFailed(f"error fetching Github app secret: githubAppPrivateKey is {error}") from None
        url = f"{self.base}app/installations/{part(data['githubAppInstallationID'])}/access_tokens"
        answer = self.outside.request(Request(url=url, method="POST", headers={"Authorization": f"Bearer {signed}"}))
        if answer.status != 201:
            raise GeneratorFailed(f"GitHub gave no token for the app: it answered {answer.status}")
        token = installation_token(answer.body)
        if token is None:
            raise GeneratorFailed("GitHub gave no token for the app")
        return token.text
