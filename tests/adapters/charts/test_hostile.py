"""Archives and indexes that nobody honest made: an error of ours, or files; never another fault, never more than is allowed."""

import contextlib
import gzip
import io
import tarfile

from hypothesis import given, settings
from hypothesis import strategies as st

from kilde.adapters.charts.archive import unpacked
from kilde.adapters.charts.limits import ChartLimits
from kilde.core.basics.errors import KildeError
from kilde.core.source.chart_index import read_index
from kilde.core.source.tree import EntryKind, Tree, followed

LIMITS = ChartLimits(unpacked_bytes=200_000, members=50)
NAMES = st.text("ab/.\\ é\0:", min_size=1, max_size=8)
TYPES = st.sampled_from(
    [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    made = io.BytesIO()
    with tarfile.open(
        fileobj=made, mode="w", format=draw(st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))
    ) as tar:
        for _ in range(draw(st.integers(0, 6))):
            info = tarfile.TarInfo(draw(NAMES))
            info.type, info.linkname = draw(TYPES), draw(NAMES)
            content = draw(st.binary(max_size=40)) if info.isreg() else b""
            info.size = len(content)
            with contextlib.suppress(ValueError):
                tar.addfile(info, io.BytesIO(content))
    raw = bytearray(made.getvalue())
    for _ in range(draw(st.integers(0, 6))):
        raw[draw(st.integers(0, max(len(raw) - 1, 0)))] = draw(st.integers(0, 255))
    return gzip.compress(bytes(raw), 1) if draw(st.booleans()) else bytes(raw)


def walk(tree: Tree, folder: str = "") -> int:
    total = 0
    for entry in tree.list(folder):
        path = f"{folder}/{entry.name}" if folder else entry.name
        assert entry.name not in ("", ".", "..")
        assert "/" not in entry.name
        if entry.kind is EntryKind.FOLDER:
            total += walk(tree, path)
        elif entry.kind is EntryKind.FILE:
            total += len(tree.read(path))
        else:
            with contextlib.suppress(KildeError):
                followed(tree, path)
    return total


@given(archives(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_an_archive_gives_files_within_its_bounds_or_an_error_of_ours(content: bytes, strip: bool) -> None:
    with contextlib.suppress(KildeError):
        assert walk(unpacked(content, LIMITS, about="x", strip=strip)) <= LIMITS.unpacked_bytes


@given(
    st.binary(max_size=200).map(lambda raw: b"entries:\n  shop:\n" + raw)
    | st.text("ab:-[]{}&*!\n \t'\"|>", max_size=80).map(str.encode)
)
@settings(max_examples=300, deadline=None)
def test_an_index_gives_versions_or_an_error_of_ours(data: bytes) -> None:
    with contextlib.suppress(KildeError):
        read_index(data, "shop", "https://charts.example")


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000, 9)
    for content in (bomb, bomb * 20):
        with contextlib.suppress(KildeError):
            unpacked(content, LIMITS, about="x", strip=True)
            raise AssertionError("it was unpacked")
