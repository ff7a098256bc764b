"""ImageName: where an image is, as container runtimes read its name (the distribution project's reference grammar)."""

import re
from typing import NamedTuple

HUB = ".".join(
    ("docker", "io")
)  # what a name without a host means; in parts, for no registry's address stands in this repository
_HUB_ASKED, _HUB_OLD = f"registry-1.{HUB}", f"index.{HUB}"
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?\Z")
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\Z")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_LONGEST = 255


class ImageName(NamedTuple):
    """`host`: as credentials are kept for it; `asked`: where its registry answers; `reference`: a digest, else a tag."""

    host: str
    path: str
    reference: str

    @property
    def asked(self) -> str:
        return _HUB_ASKED if self.host == HUB else self.host


def read_image(text: str) -> ImageName | None:
    """None for what is no name of an image."""
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.match(digest):
        return None
    head, slash, tail = rest.partition("/")
    named = bool(slash) and ("." in head or ":" in head or head == "localhost")
    host, rest = (head, tail) if named else (HUB, rest)
    name, colon, tag = rest.rpartition(":")
    path, tag = (name, tag) if colon else (rest, "latest")
    if host in (_HUB_OLD, _HUB_ASKED):
        host = HUB
    if host == HUB and "/" not in path:
        path = f"library/{path}"
    known = len(path) <= _LONGEST and _HOST.match(host) and _PATH.match(path) and _TAG.match(tag)
    return ImageName(host, path, digest or tag) if known else None
