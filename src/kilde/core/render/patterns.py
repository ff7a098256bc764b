"""Regular expressions in RE2's syntax and in time linear in the text, because patterns come from Git.

Python's own engine backtracks: `(a+)+$` takes it minutes. This one is Go's, which kustomize uses, as far as it matters
whether a pattern fits; what RE2 lacks (look-around, back references) is refused.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from kilde.core.basics.errors import RenderFailed
from kilde.core.render.pattern_machine import Kind, Machine, State, Test, is_word

_MAX_LENGTH = 1_000
_MAX_REPEAT = 1_000
_MAX_STATES = 5_000
_MAX_DEPTH = 100
_PLAIN = re.compile(r"[A-Za-z0-9_/-]+")


class Plain:
    """A pattern without any operator: a part of the text."""

    def __init__(self, part: str) -> None:
        self._part = part

    def search(self, text: str) -> bool:
        return self._part in text


Pattern = Plain | Machine


@lru_cache(maxsize=1_000)
def compile_pattern(text: str) -> Pattern:
    """Raises RenderFailed for what RE2 would not compile."""
    if _PLAIN.fullmatch(text):
        return Plain(text)
    if len(text) > _MAX_LENGTH:
        raise RenderFailed(f"a pattern of {len(text)} characters is too long")
    try:
        return _Parser(text).pattern()
    except (_Malformed, IndexError, ValueError) as error:
        raise RenderFailed(f"'{text[:100]}' is no regular expression: {error}") from error


class _Malformed(Exception):
    """What RE2 refuses."""


@dataclass(slots=True)
class _Fragment:
    """A part of the machine: where it begins, and the (state, which exit) pairs that lead out of it."""

    begin: int
    exits: list[tuple[int, bool]]


@dataclass(slots=True)
class _Flags:
    ignore_case: bool = False
    multi_line: bool = False
    dot_all: bool = False


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0
        self.states: list[State] = []
        self.flags = _Flags()

    def pattern(self) -> Machine:
        fragment = self.alternatives()
        if self.at < len(self.text):
            raise _Malformed("unexpected )")
        self.join(fragment, self.add(State("match")))
        return Machine(self.states, fragment.begin)

    # --- building

    def add(self, state: State) -> int:
        if len(self.states) >= _MAX_STATES:
            raise _Malformed("expression nests or repeats too much")
        self.states.append(state)
        return len(self.states) - 1

    def join(self, fragment: _Fragment, to: int) -> None:
        for index, second in fragment.exits:
            if second:
                self.states[index].other = to
            else:
                self.states[index].out = to

    def single(self, state: State) -> _Fragment:
        index = self.add(state)
        return _Fragment(index, [(index, False)])

    def empty(self) -> _Fragment:
        index = self.add(State("split"))
        self.states[index].other = index  # leads nowhere new
        return _Fragment(index, [(index, False)])

    # --- parsing

    def peek(self, text: str) -> bool:
        return self.text.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if self.peek(text):
            self.at += len(text)
            return True
        return False

    def alternatives(self) -> _Fragment:
        found = self.sequence()
        while self.take("|"):
            right = self.sequence()
            split = self.add(State("split", out=found.begin, other=right.begin))
            found = _Fragment(split, found.exits + right.exits)
        return found

    def sequence(self) -> _Fragment:
        found: _Fragment | None = None
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            item = self.repeated()
            if found is None:
                found = item
            else:
                self.join(found, item.begin)
                found = _Fragment(found.begin, item.exits)
        return found or self.empty()

    def repeated(self) -> _Fragment:
        begin, flags = self.at, _Flags(self.flags.ignore_case, self.flags.multi_line, self.flags.dot_all)
        found = self.atom()
        while self.at < len(self.text):
            end = self.at
            bounds = self.bounds()
            if bounds is None:
                return found
            self.take("?")  # lazy or not makes no difference to whether there is a match
            if self.at < len(self.text) and self.bounds_ahead():
                raise _Malformed("invalid nested repetition operator")
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
        match = re.compile(r"\{(\d{1,6})(,(\d{0,6}))?\}").match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        low = int(match[1])
        high = low if match[2] is None else int(match[3]) if match[3] else None
        if low > _MAX_REPEAT or (high is not None and (high > _MAX_REPEAT or high < low)):
            raise _Malformed(f"invalid repeat count {match[0]}")
        return low, high

    def repeat(self, found: _Fragment, span: tuple[int, int], flags: _Flags, low: int, high: int | None) -> _Fragment:
        if (low, high) == (0, None):
            return self.star(found)
        if (low, high) == (0, 1):
            return self.optional(found)
        parts = [found] + [self.again(span, flags) for _ in range(max(low, high or 0, 1) - 1)]
        if high is None:
            parts.append(self.star(self.again(span, flags)))
        elif high == 0:
            return self.empty()
        else:
            parts[low:] = [self.optional(part) for part in parts[low:]]
        whole = parts[0]
        for part in parts[1:]:
            self.join(whole, part.begin)
            whole = _Fragment(whole.begin, part.exits)
        return whole

    def again(self, span: tuple[int, int], flags: _Flags) -> _Fragment:
        """One more copy of what was parsed from a span of the pattern."""
        at, now = self.at, self.flags
        text, self.text, self.at, self.flags = self.text, self.text[: span[1]], span[0], flags
        found = self.repeated()
        self.text, self.at, self.flags = text, at, now
        return found

    def star(self, found: _Fragment) -> _Fragment:
        split = self.add(State("split", out=found.begin))
        self.join(found, split)
        return _Fragment(split, [(split, True)])

    def optional(self, found: _Fragment) -> _Fragment:
        split = self.add(State("split", out=found.begin))
        return _Fragment(split, [*found.exits, (split, True)])

    def atom(self) -> _Fragment:
        char = self.text[self.at]
        if char == "(":
            return self.group()
        if char in "*+?" or (char == "{" and self.bounds_ahead()):
            raise _Malformed("missing argument to repetition operator")
        self.at += 1
        if char == "[":
            return self.single(State("char", self.character_class()))
        if char == ".":
            return self.single(State("char", _any if self.flags.dot_all else _not_newline))
        if char == "^":
            return self.single(State("line start" if self.flags.multi_line else "start"))
        if char == "$":
            return self.single(State("line end" if self.flags.multi_line else "end"))
        if char == "\\":
            return self.escape()
        return self.single(State("char", self.folded(_one(char))))

    def group(self) -> _Fragment:
        self.at += 1
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise _Malformed("expression nests too deeply")
        outer = self.flags
        self.flags = _Flags(outer.ignore_case, outer.multi_line, outer.dot_all)
        named = re.compile(r"\?P?<[A-Za-z0-9_]+>").match(self.text, self.at)
        if named:
            self.at = named.end()
        elif self.take("?") and self.set_flags():
            self.depth -= 1
            return self.empty()  # `(?i)`: the flags hold from here on
        found = self.alternatives()
        if not self.take(")"):
            raise _Malformed("missing closing )")
        self.flags = outer
        self.depth -= 1
        return found

    def set_flags(self) -> bool:
        """Reads `i-s:` or `i)`; true for the latter. Raises _Malformed for look-around and the like."""
        match = re.compile(r"([imsU]*)(?:-([imsU]+))?([:)])").match(self.text, self.at)
        if match is None:
            raise _Malformed("invalid or unsupported Perl syntax")
        self.at = match.end()
        for letters, value in ((match[1], True), (match[2] or "", False)):
            for letter, name in (("i", "ignore_case"), ("m", "multi_line"), ("s", "dot_all")):
                if letter in letters:
                    setattr(self.flags, name, value)
        return match[3] == ")"

    def folded(self, test: Test) -> Test:
        if not self.flags.ignore_case:
            return test
        return lambda char: test(char) or test(char.lower()) or test(char.upper())

    def escape(self) -> _Fragment:
        char = self.text[self.at]
        zero_width: dict[str, Kind] = {"A": "start", "z": "end", "b": "word", "B": "no word"}
        if char in zero_width:
            self.at += 1
            return self.single(State(zero_width[char]))
        if char == "Q":
            end = self.text.find("\\E", self.at)
            quoted = self.text[self.at + 1 : end if end >= 0 else len(self.text)]
            self.at = end + 2 if end >= 0 else len(self.text)
            return self.literal(quoted)
        return self.single(State("char", self.folded(self.escaped())))

    def literal(self, text: str) -> _Fragment:
        found = self.empty()
        for char in text:
            item = self.single(State("char", self.folded(_one(char))))
            self.join(found, item.begin)
            found = _Fragment(found.begin, item.exits)
        return found

    def escaped(self) -> Test:
        """What an escape inside or outside of brackets stands for, the backslash read already."""
        char = self.text[self.at]
        self.at += 1
        if char.lower() in _CLASSES:
            test = _CLASSES[char.lower()]
            return test if char.islower() else _inverted(test)
        if char in "pP":
            return self.property(inverted=char == "P")
        return _one(self.code(char))

    def code(self, char: str) -> str:
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char == "x":
            match = re.compile(r"\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2})").match(self.text, self.at)
            if match is None:
                raise _Malformed("invalid escape sequence")
            self.at = match.end()
            return chr(int(match[1] or match[2], 16))
        if char.isalnum():
            raise _Malformed(f"invalid escape sequence \\{char}")
        return char

    def property(self, *, inverted: bool) -> Test:
        match = re.compile(r"\{(\^?)(L|Lu|Ll|N|Nd)\}|()(L|N)").match(self.text, self.at)
        if match is None:
            raise _Malformed("invalid character class range")
        self.at = match.end()
        test = _PROPERTIES[match[2] or match[4]]
        return _inverted(test) if inverted != bool(match[1]) else test

    def character_class(self) -> Test:
        inverted = self.take("^")
        tests: list[Test] = []
        first = True
        while first or not self.peek("]"):
            if self.at >= len(self.text):
                raise _Malformed("missing closing ]")
            first = False
            named = re.compile(r"\[:(\^?)([a-z]+):\]").match(self.text, self.at)
            if named:
                if named[2] not in _NAMED:
                    raise _Malformed(f"invalid character class range {named[0]}")
                self.at = named.end()
                tests.append(_inverted(_NAMED[named[2]]) if named[1] else _NAMED[named[2]])
            else:
                tests.append(self.range_of_class())
        self.at += 1
        found = tuple(map(self.folded, tests))
        return lambda char: any(test(char) for test in found) != inverted

    def range_of_class(self) -> Test:
        low = self.class_character()
        if callable(low):
            return low
        if not self.peek("-") or self.text[self.at + 1 : self.at + 2] in ("]", ""):
            return _one(low)
        self.at += 1
        high = self.class_character()
        if callable(high) or high < low:
            raise _Malformed("invalid character class range")
        return lambda char: low <= char <= high

    def class_character(self) -> str | Test:
        char = self.text[self.at]
        self.at += 1
        if char != "\\":
            return char
        if self.text[self.at].lower() in _CLASSES or self.text[self.at] in "pP":
            return self.escaped()
        self.at += 1
        return self.code(self.text[self.at - 1])


def _one(wanted: str) -> Test:
    return lambda char: char == wanted


def _inverted(test: Test) -> Test:
    return lambda char: not test(char)


def _any(_: str) -> bool:
    return True


def _not_newline(char: str) -> bool:
    return char != "\n"


def _digit(char: str) -> bool:
    return "0" <= char <= "9"


def _space(char: str) -> bool:
    return char in "\t\n\f\r "


_CONTROLS = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_CLASSES: dict[str, Test] = {"d": _digit, "w": is_word, "s": _space}
_PROPERTIES: dict[str, Test] = {
    "L": str.isalpha, "Lu": str.isupper, "Ll": str.islower, "N": str.isnumeric, "Nd": str.isdecimal,
}  # fmt: skip
_NAMED: dict[str, Test] = {
    "alnum": lambda char: char.isascii() and char.isalnum(),
    "alpha": lambda char: char.isascii() and char.isalpha(),
    "ascii": str.isascii,
    "blank": lambda char: char in "\t ",
    "cntrl": lambda char: char < " " or char == "\x7f",
    "digit": _digit,
    "graph": lambda char: "!" <= char <= "~",
    "lower": lambda char: "a" <= char <= "z",
    "print": lambda char: " " <= char <= "~",
    "punct": lambda char: "!" <= char <= "~" and not char.isalnum(),
    "space": lambda char: char in "\t\n\v\f\r ",
    "upper": lambda char: "A" <= char <= "Z",
    "word": is_word,
    "xdigit": lambda char: char in "0123456789abcdefABCDEF",
}
