"""Remote: what a resource names when it names no path: a Git repository, or a file behind http(s). Read as kustomize reads it."""

import posixpath
import re
from typing import NamedTuple

_DEFAULT_SECONDS = 27.0  # kustomize's, for each git command
_SCHEMES = ("ssh://", "https://", "http://", "file://")
_USER = re.compile(r"[A-Za-z][A-Za-z0-9-]*@")
_WEB = re.compile(r"https?:[^\x00-\x1f\x7f]*\Z", re.IGNORECASE)
_FORCED = "git::"
_FORCED_WARNING = (
    "Warning: Forcing the git protocol using the 'git::' URL prefix is not supported. Kustomize currently strips this"
    " invalid prefix, but will stop doing so in a future release. Please remove the 'git::' prefix from your configuration."
)
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DURATION = re.compile(r"\+?(?:(?:\d++\.?\d*+|\.\d++)(?:ns|us|µs|μs|ms|s|m|h))+\Z")
_DURATION_PART = re.compile(r"(\d++\.?\d*+|\.\d++)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TRUE, _FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")


class RemoteRepository(NamedTuple):
    """A folder of a Git repository: `clone_url` for git, `path` below its root, `ref` "" for HEAD, `seconds` for a command.

    `raw` is the text as it was written: circles are found by it.
    """

    raw: str
    clone_url: str
    path: str
    ref: str = ""
    submodules: bool = True
    seconds: float = _DEFAULT_SECONDS

    @property
    def warnings(self) -> tuple[str, ...]:
        """What kustomize says, in its words, of an address that is written with `git::`."""
        return (_FORCED_WARNING,) if self.raw[: len(_FORCED)].lower() == _FORCED else ()

    @property
    def origin_path(self) -> str:
        """What an origin annotation calls the folder; the root has kustomize's name for what is not cloned yet."""
        joined = posixpath.normpath(f"/{self.path}").lstrip("/")
        return joined or "notCloned"


def told(address: str) -> str:
    """An address or a path for people: without credentials."""
    if "://" not in address and "@" not in address:
        return address
    from kilde.core.source.repository_url import redact

    return redact(address)


def is_web_file(address: str) -> bool:
    """Whether a path is an http(s) address, which kustomize fetches as a file first, wherever a file is read."""
    return _WEB.match(address) is not None


def parse_remote(text: str) -> RemoteRepository | None:
    """The repository that a text names; None if it names none, and so is a path."""
    if text.startswith("/"):
        return None
    address, _, query = text.partition("?")
    ref, seconds, submodules = _query(query)
    found = _host(address)
    if found is None:
        return None
    host, rest = found
    split = _split(rest, whole=host == "file://")
    if split is None or not split[0]:
        return None
    repository, path = split
    if posixpath.normpath(path.removeprefix("/") or ".").split("/")[0] == "..":
        return None
    return RemoteRepository(text, host + repository, path.removeprefix("/"), ref, submodules, seconds)


def _host(address: str) -> tuple[str, str] | None:
    """What is before the repository's path (scheme, user, host), and the rest."""
    if address[: len(_FORCED)].lower() == _FORCED:
        address = address[len(_FORCED) :]
    scheme = next((one for one in _SCHEMES if address[: len(one)].lower() == one), "")
    rest = address[len(scheme) :]
    match = _USER.match(rest)
    user = match.group() if match else ""
    rest = rest[len(user) :]
    github = rest.lower().startswith(("github.com/", "github.com:"))
    scp = not scheme and bool(user or github)
    if not scheme and not scp:
        return None
    if scheme == "file://":
        return scheme, user + rest
    end = _end_of_host(rest, scp=scp)
    host, rest = (rest[: end + 1], rest[end + 1 :]) if end >= 0 else (rest, "")
    if github:  # always reached the same two ways, whatever is written
        return ("https://github.com/" if scheme != "ssh://" and not user else f"{user}github.com:"), rest
    return (scheme + user + host, rest) if host else None


def _end_of_host(rest: str, *, scp: bool) -> int:
    slash = rest.find("/")
    if scp:
        colon = rest.find(":")
        if slash < 0 or 0 < colon < slash:
            return colon
    return slash


def _split(path: str, *, whole: bool) -> tuple[str, str] | None:
    """The repository's path and the folder in it: at `_git/NAME`, at `//`, behind `.git`, else after two names."""
    if (at := path.find("_git/")) >= 0:
        name, _, rest = path[at + 5 :].partition("/")
        return path[: at + 5] + name, rest
    if (at := path.find("//")) >= 0:
        return path[:at], path[at + 2 :]
    if (at := path.find(".git")) >= 0:
        return path[: at + 4], path[at + 4 :]
    if whole:
        return path, ""
    names = path.split("/")
    return ("/".join(names[:2]), "/".join(names[2:])) if len(names) >= 2 else None


def _query(query: str) -> tuple[str, float, bool]:
    """ref, seconds and whether submodules are wanted. A query that is none says nothing."""
    if not query:
        return "", _DEFAULT_SECONDS, True
    from urllib.parse import unquote_plus  # late: most builds have no remote, and start sooner without it

    values: dict[str, str] = {}
    for part in query.split("&"):
        if ";" in part or _ESCAPE.search(part):
            return "", _DEFAULT_SECONDS, True
        key, _, value = part.partition("=")
        values.setdefault(unquote_plus(key), unquote_plus(value))
    ref = values.get("ref") or values.get("version") or ""
    flag = values.get("submodules", "")
    submodules = flag in _TRUE or flag not in _FALSE
    return ref, _seconds(values.get("timeout", "")), submodules


def _seconds(text: str) -> float:
    """A whole number of seconds, or a duration as Go writes it ("1m30s"); kustomize's own for anything else."""
    if re.fullmatch(r"\+?[0-9]{1,18}", text):
        return float(text) or _DEFAULT_SECONDS
    if not _DURATION.match(text):
        return _DEFAULT_SECONDS
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(text)) or _DEFAULT_SECONDS
