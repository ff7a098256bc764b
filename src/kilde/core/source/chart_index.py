"""The index of a chart repository: which versions of a chart there are and where their archives lie; and which version a word means."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import msgspec

from kilde.core.basics.errors import InvalidYaml, Place
from kilde.core.objects.yaml_reader import YamlLimits, read_documents
from kilde.core.source.semver import Version, parse_range, parse_version

INDEX_BYTES = 64 << 20
_PARSED_BYTES = (
    8 << 20
)  # of YAML that is read as a whole: of one chart, or an index that is not written as helm writes it
_LIMITS = YamlLimits(size=_PARSED_BYTES)
_TOP_KEY = re.compile(rb"^[^\s#-][^\n]*$", re.MULTILINE)
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_FILE = "index.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartVersion:
    """One version: the address of its archive, absolute, and the SHA-256 in hex that it must have ("" where nothing is said)."""

    version: str
    url: str
    digest: str = ""
    created: str = ""


def read_index(data: bytes, chart: str, base: str) -> tuple[ChartVersion, ...] | None:
    """The versions of one chart, in the index's order; None where it has no such chart. `base`: the repository's address.

    Versions that are none, and those without an address, are passed over as helm passes over them. Raises InvalidYaml, LimitExceeded.
    """
    entries = _entries(data, chart)
    if entries is None:
        return None
    found = []
    for entry in entries:
        version, urls = entry.get("version"), entry.get("urls")
        if not isinstance(version, str) or parse_version(version) is None:
            continue
        if not isinstance(urls, list) or not urls or not isinstance(urls[0], str):
            continue
        digest = str(entry.get("digest", "")).removeprefix("sha256:").lower()
        if digest and _SHA256.match(digest) is None:
            continue  # what cannot be checked is not taken for what need not be
        created = entry.get("created")
        found.append(
            ChartVersion(
                version=version,
                url=_absolute(base, urls[0]),
                digest=digest,
                created=created if isinstance(created, str) else "",
            )
        )
    return tuple(found)


def _entries(data: bytes, chart: str) -> list[dict[str, Any]] | None:
    """An index may be of tens of megabytes, of which one chart's block is read where it can be cut out."""
    block = _block(data, chart)
    if block is not None:
        value = _value(block)
        found = value.get(chart) if isinstance(value, Mapping) else None
        if isinstance(found, list) and all(isinstance(one, dict) and one.get("name") == chart for one in found):
            return found
    value = _value(data)
    entries = value.get("entries") if isinstance(value, Mapping) else None
    if not isinstance(entries, Mapping):
        raise InvalidYaml("has no entries: it is no index of charts", place=Place(_FILE))
    found = entries.get(chart)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else None


def _block(data: bytes, chart: str) -> bytes | None:
    """The text below `entries` that is of the chart, as helm writes an index; None where that cannot be told."""
    start = re.search(rb"^entries:[ \t]*\r?\n", data, re.MULTILINE)
    if start is None:
        return None
    following = _TOP_KEY.search(data, start.end())
    end = following.start() if following else len(data)
    name = re.escape(chart.encode())
    here = re.compile(rb"^  " + name + rb":[ \t]*\r?\n", re.MULTILINE).search(data, start.end(), end)
    if here is None:
        return None
    after = re.compile(rb"^  [^\s#-]", re.MULTILINE).search(data, here.end(), end)
    return data[here.start() : after.start() if after else end]


def _value(data: bytes) -> Any:
    if data.lstrip()[:1] == b"{":  # JSON is YAML, and read without its cost
        with suppress(msgspec.DecodeError, RecursionError):
            return msgspec.json.decode(data)
    for document in read_documents(data, file=_FILE, limits=_LIMITS, duplicates="last"):
        return document.value
    return None


def _absolute(base: str, url: str) -> str:
    """As helm resolves it: relative to the repository as a folder, with the repository's query."""
    if urlsplit(url).scheme:
        return url
    parts = urlsplit(base)
    folder = urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/", query="", fragment=""))
    joined = urljoin(folder, url)
    return f"{joined}?{parts.query}" if parts.query and "?" not in joined else joined


def index_url(repository: str) -> str:
    """Where the index of a repository is."""
    parts = urlsplit(repository)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/index.yaml", fragment=""))


def is_pinned(word: str) -> bool:
    """Whether a targetRevision is one version rather than a range."""
    return parse_version(word) is not None


def best_version(word: str, versions: Iterable[str]) -> str:
    """The version that a targetRevision means among those there are; "" if none.

    A version means itself whether it is among them or not; a word that is neither version nor range means the tag of that name
    (Argo CD's MaxVersion).
    """
    if is_pinned(word):
        return word
    wanted = parse_range(word)
    if wanted is None:
        return word if word in versions else ""
    best: Version | None = None
    named = ""
    for text in versions:
        version = parse_version(text)
        if version is not None and version in wanted and (best is None or version > best):
            best, named = version, text
    return named


def entry_of(version: str, entries: Iterable[ChartVersion]) -> ChartVersion | None:
    """The entry that a resolved version is: the one spelled so, else, as helm has it, the newest that it fits as a range."""
    known = list(entries)
    for one in known:
        if one.version == version:
            return one
    wanted, best = parse_range(version), None
    for one in known:
        read = parse_version(one.version)
        if wanted is None or read is None or read not in wanted:
            continue
        if best is None or read > best[0]:
            best = (read, one)
    return best[1] if best else None
