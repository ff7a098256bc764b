"""Forge: what the generators want of a service that keeps repositories, and the HTTP they have in common."""

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import msgspec

from kilde.core.sets.failures import GeneratorFailed, within
from kilde.core.sets.outside import Outside, Request

_MOST_PAGES = 500
Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One repository at one branch."""

    organization: str
    name: str
    url: str
    branch: str
    sha: str = ""
    labels: tuple[str, ...] = ()
    id: Any = None

    def at(self, branch: str, sha: str) -> "Repository":
        return replace(self, branch=branch, sha=sha)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """One open pull (or merge) request."""

    number: int
    title: str
    branch: str
    target_branch: str
    sha: str
    author: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: its status, its JSON, and its headers in lower case."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Forge(ABC):
    """One forge, asked with the block that a generator has for it."""

    address = ""
    """Where its API is when the block says nothing."""

    of_ones_own = False
    """Whether `scm.root.ca.path` of an installation is about it: forges that people run themselves, as Argo CD has it."""

    def __init__(self, config: Config, outside: Outside, *, authority_file: str = "") -> None:
        self._authority_file = authority_file if self.of_ones_own else ""
        self.config, self.outside = config, outside
        self.base = self.api(str(config.get("api") or self.address)).rstrip("/") + "/"
        if urlsplit(self.base).scheme not in ("http", "https"):
            raise GeneratorFailed("the forge's api is not an http(s) address", about=self.base[:200])
        self._headers = self.headers()
        self._authority = self._trusted()

    @abstractmethod
    def repositories(self, protocol: str) -> Iterator[Repository]:
        """All repositories, each at its default branch; `protocol` ("", ssh, https) chooses the address to clone from."""

    @abstractmethod
    def branches(self, repository: Repository) -> Iterator[Repository]:
        """The repository at its default branch, or at each of its branches (`allBranches`), with the commit."""

    @abstractmethod
    def has_path(self, repository: Repository, path: str) -> bool:
        """Whether there is a file or folder at that path of the branch."""

    @abstractmethod
    def pull_requests(self) -> Iterator[PullRequest]:
        """The open ones that bear all labels the block names. RepositoryNotThere."""

    def api(self, address: str) -> str:
        """The root of the API for the address in the block."""
        return address

    def headers(self) -> dict[str, str]:
        """What proves who asks."""
        token = self.token("tokenRef")
        return {"Authorization": f"Bearer {token}"} if token else {}

    @property
    def all_branches(self) -> bool:
        return bool(self.config.get("allBranches"))

    @property
    def labels(self) -> list[str]:
        return [str(label) for label in self.config.get("labels") or ()]

    def word(self, key: str) -> str:
        return str(self.config.get(key) or "")

    def token(self, key: str, block: Config | None = None) -> str:
        """The value that a reference to a Secret's key leads to; "" where there is no reference."""
        reference = (self.config if block is None else block).get(key)
        if not reference:
            return ""
        secret, name = str(reference.get("secretName", "")), str(reference.get("key", ""))
        value = self.outside.secret(secret, for_forge=True).get(name)
        if value is None:
            raise GeneratorFailed(f"error fetching Secret token: key '{name}' in secret '{secret}' not found")
        return value.strip()

    def basic_or_bearer(self) -> dict[str, str]:
        """The header of a block with `bearerToken` or `basicAuth`."""
        bearer, both = self.config.get("bearerToken"), self.config.get("basicAuth")
        if bearer:
            return {"Authorization": f"Bearer {self.token('tokenRef', bearer)}"}
        return basic(str(both.get("username", "")), self.token("passwordRef", both)) if both else {}

    def _trusted(self) -> str:
        reference = self.config.get("caRef")
        if not reference:
            return ""
        name, key = str(reference.get("configMapName", "")), str(reference.get("key", ""))
        with within("error fetching CA certificates from ConfigMap"):
            pem = self.outside.config_map(name, for_forge=True).get(key)
            if pem is None:
                raise GeneratorFailed(f"key '{key}' in '{name}' not found")
        return pem

    def get(self, path: str, *, missing: bool = False, **query: Any) -> Page:
        """GET below the API's root, or at an absolute address on the same host.

        GeneratorFailed for anything but a success; with `missing`, 404 is an answer too.
        """
        url = urljoin(self.base, path)
        if urlsplit(url)[:2] != urlsplit(self.base)[:2]:
            raise GeneratorFailed(
                "the forge refers to another host, which is not asked with its token", about=url[:200]
            )
        asked = {key: value for key, value in query.items() if value is not None}
        if asked:
            url += ("&" if "?" in url else "?") + urlencode(asked)
        answer = self.outside.request(
            Request(
                url=url,
                headers={"Accept": "application/json", **self._headers},
                authority=self._authority,
                authority_file=self._authority_file,
                insecure=bool(self.config.get("insecure")),
            )
        )
        if not (200 <= answer.status < 300 or (missing and answer.status == 404)):
            raise GeneratorFailed(f"the forge answered {answer.status}", about=bare(url))
        return Page(answer.status, _json(answer.body, url) if answer.status != 404 else None, answer.headers)

    def by_link(self, path: str, *, missing: bool = False, **query: Any) -> Iterator[Page]:
        """Page after page, as the header `Link: <…>; rel="next"` leads."""
        page = self.get(path, missing=missing, **query)
        for _ in range(_MOST_PAGES):
            yield page
            following = next_link(page.headers.get("link", ""))
            if not following:
                return
            page = self.get(following)
        raise GeneratorFailed(f"the forge has more than {_MOST_PAGES} pages", about=bare(path))

    def by_start(self, path: str, *, missing: bool = False, **query: Any) -> Iterator[Page]:
        """Page after page, as `isLastPage` and `nextPageStart` lead (Bitbucket Server)."""
        start = 0
        for _ in range(_MOST_PAGES):
            page = self.get(path, missing=missing, **query, limit=100, start=start)
            yield page
            if page.body is None or page.body.get("isLastPage", True):
                return
            start = int(page.body.get("nextPageStart") or 0)
        raise GeneratorFailed(f"the forge has more than {_MOST_PAGES} pages", about=bare(path))


def _json(body: bytes, url: str) -> Any:
    try:
        return msgspec.json.decode(body) if body.strip() else None
    except (msgspec.DecodeError, RecursionError):
        raise GeneratorFailed("the forge's answer is not JSON", about=bare(url)) from None


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bare(url: str) -> str:
    """An address without user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"[:300] if parts.scheme else parts.path[:300]


def next_link(header: str) -> str:
    """The address of the next page in a Link header; "" where there is none."""
    for part in header.split(","):
        address, _, rest = part.strip().partition(">")
        if 'rel="next"' in rest:
            return address.lstrip("<")
    return ""


def clone_url(protocol: str, *, ssh: str, https: str, forge: str) -> str:
    if protocol not in ("", "ssh", "https"):
        raise GeneratorFailed(f"unknown clone protocol for {forge} {protocol}")
    return https if protocol == "https" else ssh


def part(text: Any) -> str:
    """One part of a path."""
    return quote(str(text), safe="")


def field_of(value: Any, *path: str) -> str:
    """The text at a path of an answer; "" where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)
