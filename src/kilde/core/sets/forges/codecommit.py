"""AWS CodeCommit. It has no tokens: who asks signs each call with an identity of AWS, its own or that of the role in the block."""

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from kilde.core.sets.failures import GeneratorFailed
from kilde.core.sets.forges.forge import Forge, PullRequest, Repository, field_of
from kilde.core.sets.outside import AwsCall, Request

_JSON = "application/x-amz-json-1.1"
_MOST_PAGES = 500
_FIPS, _PLAIN = "https://git-codecommit-fips.", "https://git-codecommit."
_NOT_THERE = ("RepositoryDoesNotExistException", "CommitDoesNotExistException", "FolderDoesNotExistException")
_IN_A_FOLDER = ("subModules", "subFolders", "files", "symbolicLinks")
_LONGEST_CODE = 80


class CodeCommit(Forge):
    """The JSON calls of CodeCommit, and those of the tagging API for `tagFilters`."""

    address = "https://codecommit.amazonaws.com"

    def api(self, address: str) -> str:
        del address  # there is none to choose
        return self.address

    def repositories(self, protocol: str) -> Iterator[Repository]:
        for name in self._names():
            found = self._call("GetRepository", repositoryName=name).get("repositoryMetadata") or {}
            if field_of(found, "defaultBranch"):  # nothing was ever pushed to one without
                yield Repository(
                    organization=field_of(found, "accountId"),
                    name=field_of(found, "repositoryName"),
                    url=_clone_url(protocol, found),
                    branch=field_of(found, "defaultBranch"),
                    id=found.get("repositoryId"),
                )

    def branches(self, repository: Repository) -> Iterator[Repository]:
        """Without commits: each would be a call of its own, which Argo CD does not make either."""
        if not self.all_branches:
            yield repository
            return
        for page in self._pages("ListBranches", "nextToken", repositoryName=repository.name):
            for name in page.get("branches") or ():
                yield repository.at(str(name), "")

    def has_path(self, repository: Repository, path: str) -> bool:
        """By the folder that it is in: a file would come with all of its content."""
        folder, name = posixpath.split(posixpath.normpath("/" + path.strip("/")))
        if not name:
            return True
        asked = {"repositoryName": repository.name, "commitSpecifier": repository.branch, "folderPath": folder}
        found = self._call("GetFolder", missing=_NOT_THERE, **asked)
        return any(field_of(each, "relativePath") == name for kind in _IN_A_FOLDER for each in found.get(kind) or ())

    def pull_requests(self) -> Iterator[PullRequest]:
        raise GeneratorFailed("pull requests of AWS CodeCommit are not listed, as in Argo CD")

    def _names(self) -> Iterator[str]:
        filters: dict[str, list[str]] = {}
        for each in self.config.get("tagFilters") or ():
            values = filters.setdefault(field_of(each, "key"), [])
            values += [field_of(each, "value")] if field_of(each, "value") else []
        if not filters:
            for page in self._pages("ListRepositories", "nextToken"):
                yield from (field_of(each, "repositoryName") for each in page.get("repositories") or ())
            return
        asked = {
            "ResourceTypeFilters": ["codecommit:repository"],
            "TagFilters": [
                {"Key": key, **({"Values": values} if values else {})} for key, values in sorted(filters.items())
            ],
        }
        for page in self._pages("GetResources", "PaginationToken", **asked):
            for each in page.get("ResourceTagMappingList") or ():
                parts = field_of(each, "ResourceARN").split(":", 5)
                if len(parts) == len(("arn", "partition", "service", "region", "account", "name")):
                    yield parts[-1]

    def _pages(self, action: str, token: str, **asked: Any) -> Iterator[Mapping[str, Any]]:
        for _ in range(_MOST_PAGES):
            page = self._call(action, **asked)
            yield page
            following = field_of(page, token)
            if not following:
                return
            asked[token] = following
        raise GeneratorFailed(f"the forge has more than {_MOST_PAGES} pages", about=self.address)

    def _call(self, action: str, *, missing: tuple[str, ...] = (), **asked: Any) -> Mapping[str, Any]:
        """The answer; {} for an error that means it is not there."""
        tagging = action == "GetResources"
        target = "ResourceGroupsTaggingAPI_20170126" if tagging else "CodeCommit_20150413"
        service = "tagging" if tagging else "codecommit"
        answer = self.outside.request(
            Request(
                url=f"https://{service}.amazonaws.com/",
                method="POST",
                headers={"Content-Type": _JSON, "X-Amz-Target": f"{target}.{action}"},
                body=msgspec.json.encode(asked),
                aws=AwsCall(service=service, region=self.word("region"), role=self.word("role")),
            )
        )
        try:
            body = msgspec.json.decode(answer.body)
        except (msgspec.DecodeError, RecursionError):
            body = None
        said = field_of(body, "__type").rpartition("#")[2][:_LONGEST_CODE]
        if said in missing:
            return {}
        if answer.status != 200 or not isinstance(body, Mapping):
            told = f" {said}" if said.isalnum() else ""
            raise GeneratorFailed(f"the forge answered {answer.status}{told} to {action}", about=self.address)
        return body


def _clone_url(protocol: str, found: Mapping[str, Any]) -> str:
    https = field_of(found, "cloneUrlHttp")
    if protocol in ("", "ssh"):
        return field_of(found, "cloneUrlSsh")
    if protocol == "https" or (protocol == "https-fips" and https.startswith(_FIPS)):
        return https
    if protocol != "https-fips":
        raise GeneratorFailed(f"unknown clone protocol for codecommit {protocol}")
    if not https.startswith(_PLAIN):
        raise GeneratorFailed(
            f"https-fips is provided but repoUrl can't be transformed to FIPS endpoint: {https[:200]}"
        )
    return _FIPS + https.removeprefix(_PLAIN)
