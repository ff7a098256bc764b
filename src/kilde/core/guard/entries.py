"""Entries: what the guard knows of each object that Git owns, as the GuardedSpaces hold it that its policy reads."""

from collections.abc import Iterable, Mapping

from kilde.core.basics.errors import Place

LONGEST_KEY = 253  # as of a ConfigMap (apimachinery's IsConfigMapKey)
MOST_BYTES = 900_000  # of one object, below etcd's 1.5 MiB
WHOLE = "whole"  # the key that closes a whole namespace; no object has it, for its key would have two underscores
_COMMIT = 12


def key_of(plural: str, group: str, name: str) -> str:
    """The key of an object in its namespace's GuardedSpace; "" where it cannot have one. Names of RBAC objects may have colons.

    An object without a name has none: it would stand for all that people make with a generated one.
    """
    key = f"{plural}_{group}_{name.replace(':', '_')}"
    return key if name and len(key) <= LONGEST_KEY else ""


def sentence(*, origin: Place | None, repository: str, path: str, application: str, commit: str) -> str:
    """What who tries to write it is told: the file and commit to change instead."""
    where = f"{origin.file}:{origin.line}" if origin and origin.line else origin.file if origin else f"folder {path}"
    return f"Git owns it: change {where} of {repository} (application {application}, commit {commit[:_COMMIT]})"


def of_namespace(applications: Iterable[str]) -> str:
    """What who tries to delete a namespace is told, where the namespace itself is not in Git but what is in it."""
    names = sorted(applications)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    word = "application" if len(names) == 1 else "applications"
    return f"Git owns what is in it ({word} {', '.join(names[:3])}{more}): remove that from Git instead"


def fitting(entries: Mapping[str, str]) -> dict[str, str]:
    """The entries as they fit into one object: shorter sentences where there are very many; what is too much even so is left out."""
    if _size(entries) <= MOST_BYTES:
        return dict(entries)
    short = {key: text.partition(":")[0] for key, text in entries.items()}
    room, kept = MOST_BYTES, {}
    for key, text in sorted(short.items()):
        room -= len(key) + len(text)
        if room < 0:
            break
        kept[key] = text
    return kept


def _size(entries: Mapping[str, str]) -> int:
    return sum(len(key) + len(text.encode()) for key, text in entries.items())
