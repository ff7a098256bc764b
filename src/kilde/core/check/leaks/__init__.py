"""Credentials in plain text: found in manifests by where they stand, and in any text by their shape or by the name beside them.

The values never leave: a Leak tells where, what sort, and how long.
"""

import re
from collections.abc import Iterable, Iterator

from kilde.core.check.leaks.keys import find_keys
from kilde.core.check.leaks.leak import Leak, Sighting
from kilde.core.check.leaks.lines import find_defaults, find_in_lines, find_logins, find_urls
from kilde.core.check.leaks.objects import Look, find_in_documents
from kilde.core.check.leaks.tokens import find_tokens

LARGEST = 8 << 20  # characters of a file; what is behind them is not looked at: `unread` tells so
MOST = 1_000  # leaks of a file
_STRUCTURED = (".yaml", ".yml", ".json", ".tpl", ".gotmpl", ".json5")
_CONFIGURING = (
    ".env", ".properties", ".ini", ".cfg", ".conf", ".config", ".toml", ".tfvars", ".sh", ".bash", ".zsh", ".netrc", ".npmrc", ".pypirc",
    ".pgpass", ".htpasswd", ".xml", ".plist", ".envrc", ".service", ".tf", ".hcl", ".cnf",
)  # fmt: skip
_TEXTS = (".txt", ".md", ".sql", ".csv", ".log", ".py", ".js", ".ts", ".go", ".java", ".rb")
_NAMES = ("dockerfile", "makefile", "jenkinsfile", "procfile", "credentials", "config", ".dockercfg", "vagrantfile")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_MANIFEST = re.compile(r"^(?:apiVersion|kind):[ ]", re.MULTILINE)

RULES = frozenset({
    "annotation-credential", "argument-credential", "config-credential", "docker-config", "env-credential", "kubeconfig", "named-value",
    "private-key", "raw-secret", "secret-generator", "token", "too-large", "url-credential",
})  # fmt: skip

__all__ = ["LARGEST", "MOST", "RULES", "Leak", "Look", "find_leaks", "unread"]


def find_leaks(path: str, text: str, *, look: Look | None = None) -> list[Leak]:
    """Every credential of a file in the order of their places, MOST at most.

    `look` gives the text of another file by its path as this one writes it (None: it is not there): with it, files that a secretGenerator
    reads are told of only where they are in Git and in plain text.
    """
    if "\0" in text[:8000]:
        return []  # git's own test of what is no text
    found = merged(_sightings(path, text[:LARGEST], look))
    return [one.told(path) for one in found[:MOST]]


def unread(path: str) -> list[Leak]:
    """What is told of a file that goes on behind LARGEST: that this was not looked at, where its name says that it is text."""
    if not path.lower().endswith((*_STRUCTURED, *_CONFIGURING, *_TEXTS)):
        return []
    hint = f"what is behind {LARGEST >> 20} MiB is not looked at"
    return [Sighting(1, 1, "too-large", "file too large to look at", hint, "").told(path)]


def _sightings(path: str, text: str, look: Look | None) -> Iterator[Sighting]:
    yield from find_tokens(text)
    yield from find_keys(text)
    yield from find_urls(text)
    name = path.rpartition("/")[2]
    yield from find_logins(name, text)
    yield from find_defaults(text)
    lower = name.lower()
    if (
        lower.endswith(_STRUCTURED)
        or name in _KUSTOMIZATIONS
        or _MANIFEST.search(text)
        or lower.endswith((".dockerconfigjson", "kubeconfig"))
    ):
        yield from find_in_documents(text, look=look, kustomization=name in _KUSTOMIZATIONS)
    else:
        configuring = lower.endswith(_CONFIGURING) or lower.startswith((*_NAMES, ".env"))
        yield from find_in_lines(text, code=not configuring)


def merged(sightings: Iterable[Sighting]) -> list[Sighting]:
    """One for each place: the one of the highest rank, and none within what a whole block is told of for."""
    ranked = sorted(sightings, key=lambda one: (-one.rank, one.line, one.column))
    blocks = [one.lines for one in ranked if one.lines is not None]
    kept: list[Sighting] = []
    seen: dict[int, list[Sighting]] = {}
    for one in ranked:
        if one.lines is None and any(first <= one.line <= last for first, last in blocks):
            continue
        if any(_same(one, other) for other in seen.get(one.line, ())):
            continue
        kept.append(one)
        seen.setdefault(one.line, []).append(one)
    return sorted(kept, key=lambda one: (one.line, one.column))


def _same(one: Sighting, other: Sighting) -> bool:
    """Whether one value was seen twice: by its shape and by its name, or as part of another."""
    return one.value in other.value or other.value in one.value or abs(one.column - other.column) < 2
