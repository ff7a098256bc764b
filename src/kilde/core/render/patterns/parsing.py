"""The grammar of a pattern: alternatives, sequences, repetitions and groups become the machine that searches for it."""

from collections.abc import Iterator
from dataclasses import replace

from kilde.core.render.patterns.building import Builder, Fragment
from kilde.core.render.patterns.characters import Flags, Malformed, Reader, any_character, not_newline, one
from kilde.core.render.patterns.machine import Kind, Machine

_MAX_REPEAT = 1_000
_MAX_DEPTH = 100
_ZERO_WIDTH: dict[str, Kind] = {"A": "start", "z": "end", "b": "word", "B": "no word"}


def parse(text: str) -> Machine:
    """Raises Malformed, IndexError or ValueError for what is no pattern."""
    parser = _Parser(text)
    whole = parser.alternatives()
    if parser.at < len(text):
        raise Malformed("unexpected )")
    return parser.build.machine(whole)


class _Parser(Reader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.build, self.depth = Builder(), 0

    def alternatives(self) -> Fragment:
        found = self.sequence()
        while self.take("|"):
            found = self.build.either(found, self.sequence())
        return found

    def sequence(self) -> Fragment:
        return self.build.chain(self.items())

    def items(self) -> Iterator[Fragment]:
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            yield self.repeated()

    def repeated(self) -> Fragment:
        begin, flags = self.at, self.flags
        found = self.atom()
        while self.at < len(self.text):
            end = self.at
            bounds = self.bounds()
            if bounds is None:
                return found
            self.take("?")  # lazy or not makes no difference to whether there is a match
            if self.at < len(self.text) and self.bounds_ahead():
                raise Malformed("invalid nested repetition operator")
            found = self.repeat(found, (begin, end), flags, *bounds)
        return found

    def bounds_ahead(self) -> bool:
        at = self.at
        found = self.bounds() is not None
        self.at = at
        return found

    def bounds(self) -> tuple[int, int | None] | None:
        """The numbers of a repetition operator here; None if there is none."""
        for operator, low, high in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self.take(operator):
                return low, high
        match = self.match(r"\{(\d{1,6})(,(\d{0,6}))?\}")
        if match is None:
            return None
        low = int(match[1])
        high = low if match[2] is None else int(match[3]) if match[3] else None
        if low > _MAX_REPEAT or (high is not None and (high > _MAX_REPEAT or high < low)):
            raise Malformed(f"invalid repeat count {match[0]}")
        return low, high

    def repeat(self, found: Fragment, span: tuple[int, int], flags: Flags, low: int, high: int | None) -> Fragment:
        build = self.build
        if (low, high) == (0, None):
            return build.star(found)
        if (low, high) == (0, 1):
            return build.optional(found)
        parts = [found] + [self.again(span, flags) for _ in range(max(low, high or 0, 1) - 1)]
        if high is None:
            parts.append(build.star(self.again(span, flags)))
        elif high == 0:
            return build.empty()
        else:
            parts[low:] = [build.optional(part) for part in parts[low:]]
        return build.chain(parts)

    def again(self, span: tuple[int, int], flags: Flags) -> Fragment:
        """One more copy of what was parsed from a span of the pattern."""
        at, now = self.at, self.flags
        text, self.text, self.at, self.flags = self.text, self.text[: span[1]], span[0], flags
        found = self.repeated()
        self.text, self.at, self.flags = text, at, now
        return found

    def atom(self) -> Fragment:
        char = self.text[self.at]
        if char == "(":
            return self.group()
        if char in "*+?" or (char == "{" and self.bounds_ahead()):
            raise Malformed("missing argument to repetition operator")
        self.at += 1
        if char == "[":
            return self.build.single("char", self.character_class())
        if char == ".":
            return self.build.single("char", any_character if self.flags.dot_all else not_newline)
        if char == "^":
            return self.build.single("line start" if self.flags.multi_line else "start")
        if char == "$":
            return self.build.single("line end" if self.flags.multi_line else "end")
        if char == "\\":
            return self.escape()
        return self.literal(char)

    def group(self) -> Fragment:
        self.at += 1
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Malformed("expression nests too deeply")
        outer = self.flags
        if not self.match(r"\?P?<[A-Za-z0-9_]+>") and self.take("?") and self.set_flags():
            self.depth -= 1
            return self.build.empty()  # `(?i)`: the flags hold from here on
        found = self.alternatives()
        if not self.take(")"):
            raise Malformed("missing closing )")
        self.flags = outer
        self.depth -= 1
        return found

    def set_flags(self) -> bool:
        """Reads `i-s:` or `i)`; true for the latter. Raises Malformed for look-around and the like."""
        match = self.match(r"([imsU]*)(?:-([imsU]+))?([:)])")
        if match is None:
            raise Malformed("invalid or unsupported Perl syntax")
        for letters, value in ((match[1], True), (match[2] or "", False)):
            for letter, name in (("i", "ignore_case"), ("m", "multi_line"), ("s", "dot_all")):
                if letter in letters:
                    self.flags = replace(self.flags, **{name: value})
        return match[3] == ")"

    def escape(self) -> Fragment:
        char = self.text[self.at]
        if char in _ZERO_WIDTH:
            self.at += 1
            return self.build.single(_ZERO_WIDTH[char])
        if char == "Q":
            end = self.text.find("\\E", self.at)
            quoted = self.text[self.at + 1 : end if end >= 0 else len(self.text)]
            self.at = end + 2 if end >= 0 else len(self.text)
            return self.literal(quoted)
        return self.build.single("char", self.folded(self.escaped()))

    def literal(self, text: str) -> Fragment:
        return self.build.chain(self.build.single("char", self.folded(one(char))) for char in text)
