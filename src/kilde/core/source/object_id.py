"""Git's names for content: the SHA-1 of a blob, and a stand-in of the same shape for a folder given as a mapping.

Git uses SHA-1 as a name; nothing here relies on it to withstand an attacker.
"""

import hashlib
from collections.abc import Mapping


def blob_id(content: bytes) -> str:
    """The object id `git hash-object` gives."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def folder_id(below: Mapping[str, str]) -> str:
    """An id that changes when any path or id below a folder does (not Git's own tree id)."""
    text = "\n".join(f"{path}\0{oid}" for path, oid in sorted(below.items()))
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
