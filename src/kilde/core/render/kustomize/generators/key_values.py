"""Key-value sources of the ConfigMap and Secret generators: env files, literals, files."""

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from kilde.core.basics.errors import Place, RenderFailed
from kilde.core.render.kustomize.loader import Loader

_BOM = b"\xef\xbb\xbf"
_LINE_LIMIT = 65_536  # kustomize's scanner stops, without a word, at a longer line


def key_values(loader: Loader, args: Mapping[str, Any], place: Place) -> dict[str, bytes]:
    """All pairs of one generator entry. Raises RenderFailed for a key given twice, a malformed source, a missing file."""
    found: dict[str, bytes] = {}
    for key, value in _pairs(loader, args, place):
        if key in found:
            raise RenderFailed(f"illegally repeats the key '{key}'", about=args.get("name") or "", place=place)
        found[key] = value
    return found


def _pairs(loader: Loader, args: Mapping[str, Any], place: Place) -> Iterator[tuple[str, bytes]]:
    for path in args.get("envs") or []:
        yield from _env_lines(loader.read(path), path)
    for literal in args.get("literals") or []:
        yield _literal(literal, place)
    for source in args.get("files") or []:
        key, path = _file(source, place)
        yield key, loader.read(path)


def _env_lines(content: bytes, path: str) -> Iterator[tuple[str, bytes]]:
    for number, line in enumerate(content.split(b"\n")):
        if len(line) >= _LINE_LIMIT:
            return
        line = line.removesuffix(b"\r")
        if number == 0:
            line = line.removeprefix(_BOM)
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RenderFailed("is not UTF-8 text", place=Place(path, number + 1)) from error
        line = line.lstrip()
        if line and not line.startswith(b"#"):
            key, _, value = line.partition(b"=")
            if key:
                yield key.decode(), value


def _literal(literal: str, place: Place) -> tuple[str, bytes]:
    key, equals, value = literal.partition("=")
    if not equals or not key:
        raise RenderFailed("invalid literal source, expected key=value", about="literals", place=place)
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return key, value.encode("utf-8", "surrogatepass")


def _file(source: str, place: Place) -> tuple[str, str]:
    key, equals, path = source.partition("=")
    if not equals:
        return posixpath.basename(source), source
    if not key or not path or "=" in path:
        raise RenderFailed(f"invalid file source '{source}', expected [key=]path", about="files", place=place)
    return key, path
