"""The globs of AppProjects: a `!` in front denies, and a lone `*` is everything."""

import functools

from kilde.core.basics.errors import RenderFailed
from kilde.core.render.globs import Glob, compile_glob


def is_denial(pattern: str) -> bool:
    return pattern.startswith("!")


def matches(pattern: str, text: str, *, separator: str = "") -> bool:
    """Whether the text fits; a denial fits what its pattern does not. One that is no glob fits nothing: a typing error opens nothing."""
    if is_denial(pattern):
        inside = pattern[1:]
        readable = inside == "*" or _compiled(inside, separator) is not None
        return readable and not matches(inside, text, separator=separator)
    if pattern == "*":
        return True
    glob = _compiled(pattern, separator)
    return glob is not None and glob.fullmatch(text)


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str, separator: str) -> Glob | None:
    try:
        return compile_glob(pattern, separator=separator)
    except RenderFailed:
        return None
