"""Git's names for content: the SHA-1 of a blob, and a stand-in of the same shape for a folder given as a mapping.

Git uses SHA-1 as a name; nothing here relies on it to withstand an attacker.
"""

from collections.abc import Iterable, Mapping


def blob_id(content: bytes) -> str:
    """The object id `git hash-object` gives."""
    return _sha1(b"blob %d\0" % len(content) + content)


def folder_id(below: Mapping[str, str]) -> str:
    """An id that changes when any path or id below a folder does (not Git's own tree id)."""
    text = "\n".join(f"{path}\0{oid}" for path, oid in sorted(below.items()))
    return _sha1(text.encode())


def listing_id(names: Iterable[tuple[str, str]]) -> str:
    """An id that changes when a name in a folder, or what kind of thing it names, does."""
    return _sha1("\n".join(f"{name}\0{kind}" for name, kind in sorted(names)).encode())


def _sha1(content: bytes) -> str:
    import hashlib  # loads OpenSSL, which is slow to load

    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
