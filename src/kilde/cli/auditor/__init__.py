"""The verifier that an export carries: its modules, joined into one file that needs no Kilde."""

import ast
from importlib import resources

_MODULES = ("archive", "proofs", "audit")


def script() -> str:
    """The one file: what audit.py says of itself, all imports but those among the modules, and their code."""
    texts = [resources.files(__name__).joinpath(f"{name}.py").read_text("utf-8") for name in _MODULES]
    trees = [ast.parse(text) for text in texts]
    head = ast.get_source_segment(texts[-1], trees[-1].body[0]) or ""
    imports: list[str] = []
    bodies: list[str] = []
    for text, tree in zip(texts, trees, strict=True):
        lines = text.split("\n")
        for statement in tree.body[1:]:
            if not isinstance(statement, (ast.Import, ast.ImportFrom)):
                bodies.append("\n".join(lines[statement.lineno - 1 :]))
                break
            said = ast.get_source_segment(text, statement) or ""
            if said not in imports and not said.startswith(("from kilde.", "from __future__")):
                imports.append(said)
    joined = "\n".join(["from __future__ import annotations", "", *sorted(imports)])
    return "\n\n".join(["#!/usr/bin/env python3", head, joined, "", *(body.strip("\n") + "\n" for body in bodies)])
