"""Writes values as YAML in as many ways as people do: flow and block, every quoting, comments, anchors, odd nulls."""

import json
import random
import re
from collections import Counter
from typing import Any

_SAFE = re.compile(
    r"[A-Za-z/_$][A-Za-z0-9_./$()=@-]*(?: [A-Za-z0-9_./-]+)*|[a-z0-9.-]+[/:][A-Za-z0-9][A-Za-z0-9./_-]*[A-Za-z_-]"
)
_WORDS = frozenset(["y", "yes", "n", "no", "on", "off", "true", "false", "null", "y", "Y", "N"]) | {"~"}
COMMENTS = ("# a comment", "# kind: ConfigMap", "#", "# – ø")
MARKER = '# {"$imagepolicy": "flux-system:app"}'  # Flux's, behind scalars; kustomize takes it for a schema elsewhere


class Plain(str):
    """A scalar to be written as it stands."""

    __slots__ = ()


class Writer:
    """One document's manners. `wild` (0..1) says how odd they are."""

    def __init__(self, dice: random.Random, wild: float = 0.3, nulls: tuple[str, ...] = ("null", "~", "")) -> None:
        self.dice, self.wild, self.nulls = dice, wild, nulls
        self.sequence_indent = dice.choice((0, 0, 2))
        self.step = dice.choice((2, 2, 2, 4))
        self.comments = dice.random() < wild
        self.anchors = dice.random() < wild * 0.4
        self.anchored: dict[str, str] = {}
        self.repeated: set[str] = set()

    def document(self, value: Any) -> str:
        """The text of one document, ending in a newline."""
        if self.anchors:
            counts = Counter(self.keys_of(value))
            self.repeated = {key for key, times in counts.items() if times > 1}
        text = self.block(value, 0)
        return text if text.endswith("\n") else text + "\n"

    def keys_of(self, value: Any) -> list[str]:
        found = [json.dumps(value, default=str)] if value not in ({}, [], None) else []
        if isinstance(value, dict):
            for item in value.values():
                found += self.keys_of(item)
        elif isinstance(value, list):
            for item in value:
                found += self.keys_of(item)
        return found

    def chance(self, probability: float) -> bool:
        return self.dice.random() < probability

    def block(self, value: Any, indent: int) -> str:
        """A map or list in block style, from the first column of its first line on."""
        pad = " " * indent
        lines: list[str] = []
        if isinstance(value, dict) and value:
            for key, item in value.items():
                if self.comments and self.chance(0.08):
                    lines.append(pad + self.dice.choice(COMMENTS))
                lines.append(f"{pad}{self.key(key)}:{self.after(item, indent, in_map=True)}")
            return "\n".join(lines)
        if isinstance(value, list) and value:
            lines = [f"{pad}-{self.after(item, indent, in_map=False)}" for item in value]
            return "\n".join(lines)
        return pad + self.inline(value, indent, flow=False)

    def after(self, item: Any, indent: int, *, in_map: bool) -> str:
        """What follows `key:` or `-`."""
        mark = self.anchor(item)
        if mark.startswith("*"):
            return " " + mark
        lead = f" {mark}" if mark else ""
        nested = isinstance(item, (dict, list))  # a comment there can break what kustomize writes
        note = f" {self.dice.choice(COMMENTS)}" if self.comments and not nested and self.chance(0.1) else ""
        if isinstance(item, (dict, list)) and item and not (self.small(item) and self.chance(0.12 + 0.2 * self.wild)):
            if not in_map:
                inner = indent + 2
                if mark:
                    return f"{lead}{note}\n{self.block(item, inner)}"
                return " " + self.block(item, inner).lstrip(" ")
            inner = indent + (self.sequence_indent if isinstance(item, list) else self.step)
            return f"{lead}{note}\n{self.block(item, inner)}"
        if isinstance(item, str) and type(item) is str and self.block_scalar(item):
            return f"{lead} {self.literal(item, indent + (self.step if in_map else 2))}"
        text = self.inline(item, indent, flow=False)
        if note and self.chance(0.3):
            note = " " + MARKER
        return f"{lead} {text}{note}" if text else lead

    def anchor(self, item: Any) -> str:
        """`&name` or `*name` for a value that comes again."""
        if not self.anchors or not isinstance(item, (dict, list, str)) or not item:
            return ""
        key = json.dumps(item, default=str)
        if key in self.anchored:
            return "*" + self.anchored[key] if self.chance(0.7) else ""
        if key in self.repeated and self.chance(0.5):
            name = f"a{len(self.anchored)}"
            self.anchored[key] = name
            return "&" + name
        return ""

    @staticmethod
    def small(item: Any) -> bool:
        return len(json.dumps(item, default=str)) < 160

    def block_scalar(self, text: str) -> bool:
        if not text.strip() or any(ord(char) < 32 and char != "\n" for char in text) or text[0] in " \n":
            return False
        if "\n" in text:
            return " \n" not in text and self.chance(0.8)
        return self.chance(0.04 * self.wild)

    def literal(self, text: str, indent: int) -> str:
        pad = " " * indent
        chomp = "" if text.endswith("\n") and not text.endswith("\n\n") else "+" if text.endswith("\n") else "-"
        lines = text.removesuffix("\n").split("\n")
        mark = ">" if self.chance(0.5 if len(lines) == 1 else 0.2) else "|"
        return f"{mark}{chomp}\n" + "\n".join(pad + line if line else "" for line in lines)

    def key(self, key: str) -> str:
        if isinstance(key, Plain):
            return str(key)
        if key in ("<<", "") or not _SAFE.fullmatch(key) or key.lower() in _WORDS:
            return json.dumps(key, ensure_ascii=False)
        return json.dumps(key) if self.chance(0.05 * self.wild) else key

    def inline(self, value: Any, indent: int, *, flow: bool) -> str:
        if isinstance(value, Plain):
            return str(value)
        if value is None:
            return self.dice.choice(self.nulls) if not flow else "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (int, float)):
            return str(value)
        if isinstance(value, str):
            return self.text(value, flow=flow)
        if isinstance(value, dict):
            inner = ", ".join(f"{self.key(key)}: {self.inline(item, indent, flow=True)}" for key, item in value.items())
            return "{" + inner + "}"
        return "[" + ", ".join(self.inline(item, indent, flow=True) for item in value) + "]"

    def text(self, text: str, *, flow: bool) -> str:
        safe = _SAFE.fullmatch(text) and text.lower() not in _WORDS and not (flow and ":" in text)
        roll = self.dice.random()
        if safe and roll > 0.25 * self.wild:
            return text
        if roll < 0.5 and "\n" not in text and all(ord(char) >= 32 for char in text):
            return "'" + text.replace("'", "''") + "'"
        return json.dumps(text, ensure_ascii=self.chance(0.2)) if "\x7f" not in text else json.dumps(text)
