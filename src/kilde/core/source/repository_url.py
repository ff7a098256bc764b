"""RepositoryUrl: where a repository is, parsed once; when two spellings mean the same; and text with its credentials taken out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, unquote, urlsplit

from kilde.core.basics.errors import InvalidInput

_LONGEST = 2048  # characters; what browsers and proxies bear, and more than any forge hands out
_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?|\[[0-9A-Fa-f:.]+\])\Z")
_USER = re.compile(r"[A-Za-z0-9_.+~][A-Za-z0-9_.+~@%=-]*\Z")
_SCP = re.compile(r"(?:(?P<user>[^@/:\s]+)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^@/:\s\[\]]+):(?P<path>.*)\Z", re.DOTALL)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f]")
_HINT = "write https://host/path, ssh://user@host/path, user@host:path or file:///path"


class Scheme(StrEnum):
    """How a repository is reached. Nothing else is: `ext::` runs programs, `git://` proves nothing about the server."""

    HTTPS = "https"
    HTTP = "http"
    SSH = "ssh"
    FILE = "file"


_DEFAULT_PORTS = {Scheme.HTTPS: 443, Scheme.HTTP: 80, Scheme.SSH: 22}


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryUrl:
    """A repository's place. `path` is as written (for files: the absolute path, decoded); `port` 0 is the scheme's own.

    `relative`: an scp-like path that does not begin at the server's root. `user` and `password` of http(s) are
    credentials that somebody wrote into the URL; neither `address` nor `str()` shows them.
    """

    scheme: Scheme
    path: str
    host: str = ""
    port: int = 0
    relative: bool = False
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """What the git program is given: complete but for the credentials of http(s)."""
        if self.scheme is Scheme.FILE:
            return self.path
        user = f"{self.user}@" if self.user and self.scheme is Scheme.SSH else ""
        port = f":{self.port}" if self.port else ""
        if self.relative:
            return f"{user}{self.host}:{self.path}"
        return f"{self.scheme}://{user}{self.host}{port}{self.path}"

    @property
    def key(self) -> str:
        """Equal for two URLs that surely are one repository; the name of its mirror.

        Stricter than `same_repository`: paths keep their case, and a local path its `.git`, for they can be two.
        """
        if self.scheme is Scheme.FILE:
            return f"file://{self.path.rstrip('/') or '/'}"
        port = f":{self.port}" if self.port and self.port != _DEFAULT_PORTS[self.scheme] else ""
        user = f"{self.user}@" if self.scheme is Scheme.SSH and self.user else ""
        path = self.path.rstrip("/").removesuffix(".git").lstrip("/")
        return f"{self.scheme}://{user}{self.host}{port}/{'~/' if self.relative else ''}{path}"

    @property
    def slug(self) -> str:
        """The last part of the path, fit for a file name; only for people."""
        last = self.path.rstrip("/").removesuffix(".git").rpartition("/")[2]
        return re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip(".-")[:40] or "repository"

    def __str__(self) -> str:
        return f"file://{quote(self.path)}" if self.scheme is Scheme.FILE else self.address


def parse(text: str) -> RepositoryUrl:
    """Reads a repoURL. Raises InvalidInput, without any credential in it."""
    if not text:
        raise InvalidInput("no repository URL is given", hint=_HINT)
    if len(text) > _LONGEST:
        raise InvalidInput(f"the repository URL is longer than {_LONGEST} characters")
    about = redact(text)
    if _UNPRINTABLE.search(text) and not text.startswith("/"):
        raise InvalidInput("the repository URL has a space or a control character", about=repr(about))
    if text.startswith("/"):
        return _file(text, about)
    if "://" in text:
        return _url(text, about)
    scp = _SCP.match(text)
    if scp is None or scp["path"].startswith(":"):
        raise InvalidInput("this is not a repository URL", about=about, hint=_HINT)
    return _ssh(scp["user"] or "", scp["host"], 0, scp["path"], relative=not scp["path"].startswith("/"), about=about)


def _url(text: str, about: str) -> RepositoryUrl:
    try:
        parts = urlsplit(text)
        port = parts.port or 0
    except ValueError:
        raise InvalidInput("this is not a URL", about=about, hint=_HINT) from None
    if parts.scheme not in set(Scheme):
        raise InvalidInput(f"the protocol '{parts.scheme}' is not supported", about=about, hint=_HINT)
    scheme = Scheme(parts.scheme)
    if scheme is Scheme.FILE:
        if parts.netloc not in ("", "localhost"):
            raise InvalidInput("a file URL has three slashes", about=about, hint=_HINT)
        return _file(unquote(parts.path), about)
    if parts.fragment:
        raise InvalidInput("a repository URL has no fragment ('#…')", about=about)
    netloc_host = parts.netloc.rpartition("@")[2]
    host = netloc_host[: netloc_host.rindex("]") + 1] if "]" in netloc_host else netloc_host.partition(":")[0]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if scheme is Scheme.SSH:
        return _ssh(user, host, port, parts.path, relative=False, about=about)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    _check_host(host, about)
    return RepositoryUrl(scheme=scheme, host=host.lower(), port=port, path=path, user=user, password=password)


def _ssh(user: str, host: str, port: int, path: str, *, relative: bool, about: str) -> RepositoryUrl:
    _check_host(host, about)
    if user and not _USER.match(user):
        raise InvalidInput("the user in the URL has characters that no user name has", about=about)
    if not path.strip("/") or path.startswith(("-", "/-")):  # git and ssh would take it for an option
        raise InvalidInput("the URL names no repository on the server", about=about, hint=_HINT)
    return RepositoryUrl(scheme=Scheme.SSH, host=host.lower(), port=port, path=path, user=user, relative=relative)


def _file(path: str, about: str) -> RepositoryUrl:
    if not path.startswith("/") or "\0" in path or "\n" in path:
        raise InvalidInput("a local repository is named by its absolute path", about=about, hint=_HINT)
    return RepositoryUrl(scheme=Scheme.FILE, path=path)


def _check_host(host: str, about: str) -> None:
    if not _HOST.match(host):  # a leading '-' would be an option to ssh (CVE-2017-1000117)
        raise InvalidInput("the URL names no host", about=about, hint=_HINT)


def normalized(text: str) -> str:
    """The spelling by which credentials, Applications and pushes are matched; "" if it is no URL.

    As Argo CD's NormalizeGitURL: all lower case, `user@host:path` as `user@host/path`, without `ssh://` and `.git`.
    """
    lowered = text.strip().lower()
    if "://" not in lowered and (match := _SCP.match(lowered)) is not None and match["user"]:
        lowered = lowered.replace(":", "/", 1)
    return lowered.removeprefix("ssh://").removesuffix(".git")


def same_repository(one: str, other: str) -> bool:
    """Whether two spellings name one repository, as Argo CD's SameURL."""
    return normalized(one) != "" and normalized(one) == normalized(other)


def begins_with(url: str, prefix: str) -> int:
    """How many characters of `url` a credential template's `prefix` covers; 0 if it does not apply.

    As Argo CD a plain prefix of the normalised text, with one difference: the host must be the whole host, so that what is
    meant for `https://github.com` is never sent to `https://github.com.evil.example`.
    """
    whole, start = normalized(url), normalized(prefix)
    if not start or not whole.startswith(start):
        return 0
    return len(start) if _authority(whole) == _authority(start) else 0


def _authority(text: str) -> str:
    return text.partition("://")[2].partition("/")[0] if "://" in text else text.partition("/")[0]


_USERINFO = re.compile(r"\b(https?://)[^/\s@'\"]+(?:@[^/\s@'\"]+)*@", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^/\s:@'\"]*+):[^/\s@'\"]++@")
_HEADER = re.compile(r"(authorization:\s*\w+\s+)[^\s'\"]+", re.IGNORECASE)
_QUERY = re.compile(
    r"([?&][^=&?\s'\"]{0,100}?(?:token|key|secret|password|sig)[^=&?\s'\"]*+=)[^&\s'\"]+", re.IGNORECASE
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without user and password of URLs, tokens in queries, authorization headers, nor any of `secrets`."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 2:
            text = text.replace(secret, "***")
    text = _PASSWORD.sub(r"\1@", _USERINFO.sub(r"\1", text))
    return _QUERY.sub(r"\1***", _HEADER.sub(r"\1***", text))
