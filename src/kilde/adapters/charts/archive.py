"""Archives of charts unpacked in memory: bounded, and nothing in them leaves its folder."""

import io
import tarfile
import zlib
from pathlib import PurePosixPath

from kilde.adapters.charts.limits import ChartLimits
from kilde.core.basics.errors import LimitExceeded, SourceError
from kilde.core.source.tree import MemoryTree

_GZIP = b"\x1f\x8b"


def unpacked(content: bytes, limits: ChartLimits, *, about: str, strip: bool) -> MemoryTree:
    """The files of a tar archive, gzipped or not; without the folder that all of them lie in, where it is to be stripped.

    Raises LimitExceeded, and SourceError for what is no archive or holds a path that leaves it. Devices and hard links are left out.
    """
    files: dict[str, bytes] = {}
    links: dict[str, str] = {}
    try:
        plain = _gunzipped(content, limits, about) if content.startswith(_GZIP) else content
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            for number, member in enumerate(archive):
                if number >= limits.members:
                    raise LimitExceeded(f"an archive of more than {limits.members} files", about=about)
                path = _path(member.name, about, strip=strip)
                if not path or not (member.issym() or member.isfile()) or member.islnk():
                    continue
                if member.issym():
                    links[path] = member.linkname
                    continue
                if member.issparse():  # claims any size
                    raise SourceError("a sparse file in an archive", about=f"{about}: {path}")
                stream = archive.extractfile(member)
                files[path] = stream.read() if stream is not None else b""
    except (tarfile.TarError, zlib.error, EOFError, ValueError, OSError) as error:
        raise SourceError(f"is no archive that can be read: {type(error).__name__}", about=about) from None
    if not files:
        raise SourceError("is an archive without a file", about=about)
    return MemoryTree(files, {path: target for path, target in links.items() if path not in files})


def _gunzipped(content: bytes, limits: ChartLimits, about: str) -> bytes:
    """All members of a gzip file; never more in memory than is allowed."""
    out, rest = bytearray(), content
    while rest.startswith(_GZIP):
        engine = zlib.decompressobj(wbits=31)
        out += engine.decompress(rest, limits.unpacked_bytes + 1 - len(out))
        if len(out) > limits.unpacked_bytes:
            raise LimitExceeded(f"unpacks to more than {limits.unpacked_bytes} bytes", about=about)
        if not engine.eof:
            raise EOFError
        rest = engine.unused_data
    return bytes(out)


def _path(name: str, about: str, *, strip: bool) -> str:
    """The path in the tree; "" for one that is nothing there."""
    written = name.replace("\\", "/")
    path = PurePosixPath(written)
    if path.is_absolute() or ".." in path.parts or "\0" in name or (path.parts and path.parts[0].endswith(":")):
        raise SourceError("a path in the archive leaves its folder", about=f"{about}: {name!r}")
    parts = path.parts
    if strip:
        if len(parts) == 1 and parts[0] == "Chart.yaml":
            raise SourceError("the archive has no folder that its chart is in", about=about)
        parts = parts[1:]
    return "/".join(parts)
