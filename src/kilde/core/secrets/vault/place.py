"""Places in Vault: an entry of a key/value engine (version 2), and a key of a transit engine; each a mount and a name below it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kilde.core.basics.errors import InvalidInput

LONGEST = 512  # characters
_SEGMENT = re.compile(
    r"[A-Za-z0-9_.@:=+ -]{1,128}"
)  # no %, ?, #, * or \: nothing that a server or proxy may read otherwise


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """`mount` is where the engine is, `name` what is in it, both without a slash at the ends."""

    mount: str
    name: str

    def __str__(self) -> str:
        return f"{self.mount}/{self.name}"

    def below(self, name: str) -> "Place":
        return Place(self.mount, f"{self.name}/{name}")


def segments(path: str, *, about: str) -> list[str]:
    """The parts of a path. InvalidInput for one that is not plain: empty parts, `.` and `..`, characters with a meaning in a URL."""
    parts = path.split("/")
    if len(path) > LONGEST:
        raise InvalidInput(f"a path in Vault of more than {LONGEST} characters", about=about)
    for part in parts:
        if not _SEGMENT.fullmatch(part) or part.strip(".") == "" or part != part.strip():
            hint = "write MOUNT/NAME, of letters, digits and _ . @ : = + - between single slashes"
            raise InvalidInput("is not a path in Vault", about=about, hint=hint)
    return parts


def read_place(path: str, mounts: Iterable[str] = (), *, about: str) -> Place:
    """`MOUNT/NAME`. `mounts`: those whose own path has slashes; of others the first part is the mount. InvalidInput."""
    parts = segments(path, about=about)
    for mount in sorted(mounts, key=len, reverse=True):
        if path.startswith(f"{mount}/"):
            return Place(mount, path.removeprefix(f"{mount}/"))
    if len(parts) == 1:
        raise InvalidInput("names a mount and nothing in it", about=about, hint="write MOUNT/NAME")
    return Place(parts[0], "/".join(parts[1:]))
