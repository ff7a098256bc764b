"""Globs of value files: `*` and `?` within one folder, `**` over folders, `[a-z]`, `{a,b}`; what they mean in a tree, sorted."""

import posixpath
import re

from kilde.core.basics.errors import LimitExceeded
from kilde.core.render.globs import compile_glob
from kilde.core.source.tree import EntryKind, Tree

_MOST = 20_000  # names that are looked at


def expand(tree: Tree, glob: str) -> list[str]:
    """The files that fit, sorted. Raises RenderFailed for a glob that is none, LimitExceeded for too many names."""
    fixed = re.split(r"[*?\[{]", glob, maxsplit=1)[0].rpartition("/")[0]
    if tree.entry(fixed) is None:
        return []
    every = compile_glob(glob, separator="/")
    # `a/**/b` fits `a/b` too
    short = compile_glob(glob.replace("**/", ""), separator="/") if "**/" in glob else every
    found, stack, seen = [], [fixed], 0
    while stack:
        folder = stack.pop()
        for entry in tree.list(folder):
            seen += 1
            if seen > _MOST:
                raise LimitExceeded(f"a pattern that looks at more than {_MOST} names", about=glob)
            path = posixpath.join(folder, entry.name)
            if entry.kind is EntryKind.FOLDER:
                stack.append(path)
            elif every.fullmatch(path) or short.fullmatch(path):
                found.append(path)
    return sorted(found)
