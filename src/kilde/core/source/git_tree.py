"""Git's tree objects: their bytes read into Entries, and one with an entry replaced."""

from kilde.core.basics.errors import InvalidInput
from kilde.core.source.tree import Entry, EntryKind

_KINDS = {
    b"40000": ("40000", EntryKind.FOLDER),
    b"100644": ("100644", EntryKind.FILE),
    b"100755": ("100755", EntryKind.FILE),
    b"120000": ("120000", EntryKind.SYMLINK),
    b"160000": ("160000", EntryKind.SUBMODULE),
}


def parse_tree(raw: bytes, *, about: str = "", oid_bytes: int = 20) -> dict[str, tuple[str, Entry]]:
    """Name → (mode, Entry), sorted by name. Sizes are not in a tree: files have -1.

    Names that no file system bears (`..`, one with `/`) can only come from a forged tree: InvalidInput.
    Bytes that are not UTF-8 are shown as `\\xNN`.
    """
    found: dict[str, tuple[str, Entry]] = {}
    position, end = 0, len(raw)
    while position < end:
        blank = raw.find(b" ", position)
        null = raw.find(b"\0", blank)
        if blank < 0 or null < 0 or null + 1 + oid_bytes > end:
            raise InvalidInput("the folder's Git object is damaged", about=about)
        known = _KINDS.get(raw[position:blank])
        mode, kind = known or (raw[position:blank].decode("ascii", "replace"), EntryKind.FILE)
        name = raw[blank + 1 : null].decode("utf-8", "backslashreplace")
        position = null + 1 + oid_bytes
        if name in ("", ".", "..") or "/" in name:
            raise InvalidInput(f"a folder has an entry named '{name}', which no checkout could hold", about=about)
        found[name] = (
            mode,
            Entry(name, kind, raw[null + 1 : position].hex(), 0 if kind is EntryKind.FOLDER else -1),
        )
    return dict(sorted(found.items()))


def replace_entry(raw: bytes, name: bytes, mode: bytes, oid: bytes, *, oid_bytes: int = 20) -> bytes:
    """The tree `raw` with one entry set, or gone where `oid` is empty. Every other entry stays as it is, byte for byte, in Git's order.

    Git sorts folders as if their name ended in `/` (base_name_compare).
    """
    entries: list[tuple[bytes, bytes, bytes]] = []
    position = 0
    while position < len(raw):
        blank, null = raw.find(b" ", position), raw.find(b"\0", position)
        entries.append((raw[blank + 1 : null], raw[position:blank], raw[null + 1 : null + 1 + oid_bytes]))
        position = null + 1 + oid_bytes
    entries = [entry for entry in entries if entry[0] != name]
    if oid:
        entries.append((name, mode, oid))
    entries.sort(key=lambda entry: entry[0] + (b"/" if entry[1] == b"40000" else b""))
    return b"".join(mode + b" " + name + b"\0" + oid for name, mode, oid in entries)
