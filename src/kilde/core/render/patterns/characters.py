"""What a pattern says of single characters: its classes and escapes, read into tests of a character."""

import re
from dataclasses import dataclass

from kilde.core.render.patterns.machine import Test, is_word


class Malformed(Exception):
    """What RE2 refuses."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What holds from here on in a pattern: `(?i)`, `(?m)`, `(?s)`."""

    ignore_case: bool = False
    multi_line: bool = False
    dot_all: bool = False


class Reader:
    """A place in a pattern, and what single characters are read there. What is missing is an IndexError."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.flags = Flags()

    def peek(self, text: str) -> bool:
        return self.text.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if self.peek(text):
            self.at += len(text)
            return True
        return False

    def match(self, expression: str) -> re.Match[str] | None:
        """What is here, if it is such; it is taken."""
        match = re.compile(expression).match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def folded(self, test: Test) -> Test:
        if not self.flags.ignore_case:
            return test
        return lambda char: test(char) or test(char.lower()) or test(char.upper())

    def escaped(self) -> Test:
        """What an escape inside or outside of brackets stands for, the backslash read already."""
        char = self.text[self.at]
        self.at += 1
        if char.lower() in _CLASSES:
            test = _CLASSES[char.lower()]
            return test if char.islower() else _inverted(test)
        if char in "pP":
            return self.property(inverted=char == "P")
        return one(self.code(char))

    def code(self, char: str) -> str:
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char == "x":
            match = self.match(r"\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2})")
            if match is None:
                raise Malformed("invalid escape sequence")
            return chr(int(match[1] or match[2], 16))
        if char.isalnum():
            raise Malformed(f"invalid escape sequence \\{char}")
        return char

    def property(self, *, inverted: bool) -> Test:
        match = self.match(r"\{(\^?)(L|Lu|Ll|N|Nd)\}|()(L|N)")
        if match is None:
            raise Malformed("invalid character class range")
        test = _PROPERTIES[match[2] or match[4]]
        return _inverted(test) if inverted != bool(match[1]) else test

    def character_class(self) -> Test:
        inverted = self.take("^")
        tests: list[Test] = []
        first = True
        while first or not self.peek("]"):
            if self.at >= len(self.text):
                raise Malformed("missing closing ]")
            first = False
            named = self.match(r"\[:(\^?)([a-z]+):\]")
            if named:
                if named[2] not in _NAMED:
                    raise Malformed(f"invalid character class range {named[0]}")
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
            return one(low)
        self.at += 1
        high = self.class_character()
        if callable(high) or high < low:
            raise Malformed("invalid character class range")
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


def one(wanted: str) -> Test:
    """This character."""
    return lambda char: char == wanted


def _inverted(test: Test) -> Test:
    return lambda char: not test(char)


def any_character(_: str) -> bool:
    """`.` where it takes a newline, too."""
    return True


def not_newline(char: str) -> bool:
    """`.` as it is without flags."""
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
