"""Writes YAML exactly as kustomize does: go-yaml 2's block emitter (libyaml's algorithm) and its natural key order."""

import re
from collections.abc import Iterable
from functools import cmp_to_key
from typing import Any

from kilde.core.basics.errors import InvalidYaml
from kilde.core.objects.yaml_scalars import BOOL_11, OddKey, Raw, Unprintable, integral, resolve_11, timestamp

WIDTH = 80  # a plain or quoted scalar is broken at the first single space behind this column
INDENT = 2
_INT64, _UINT64 = -(1 << 63), 1 << 64
_EXPONENT_FROM = 6  # Go's %g without a precision
_SIMPLE_KEY = 128  # bytes; a longer key is written as `? key`

_PLAIN = re.compile(r"[A-Za-z/_][A-Za-z0-9_./-]*")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_OTHER_BREAK = re.compile("[\u2028\u2029]")
_BREAK_BY_SPACE = re.compile(" [\u2028\u2029]|[\u2028\u2029] ")
_BOM = "\ufeff"  # go-yaml takes it, first in a text, for a reason to escape all that follows
_LEADING = frozenset("#,[]{}&*!|>'\"%@`")
_ESCAPES = {
    "\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e",
    '"': '"', "\\": "\\", "\x85": "N", "\xa0": "_", "\u2028": "L", "\u2029": "P",
}  # fmt: skip


class _Unprintable:
    """What the emitter has no plain form for. The expression takes four milliseconds to compile: plain ASCII does without."""

    _pattern: re.Pattern[str] | None = None

    def search(self, text: str) -> bool:
        """Whether there is such a character in the text."""
        if text.isascii() and text.replace("\n", "").isprintable():
            return False
        if self._pattern is None:
            self._pattern = re.compile("[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
        return self._pattern.search(text) is not None


_UNPRINTABLE = _Unprintable()
_RESERVED = frozenset(BOOL_11) | {"null", "Null", "NULL"}


def write_documents(values: Iterable[Any]) -> str:
    """Documents with `---` between them; nothing for no documents."""
    return "---\n".join(map(write_document, values))


def write_document(value: Any, *, sort: bool = True) -> str:
    """One document, ending in a newline. Raises InvalidYaml for what JSON cannot hold."""
    out: list[str] = []
    if isinstance(value, dict) and value:
        _Emitter(out, sort=sort).mapping(value, 0, first="")
    elif isinstance(value, list) and value:
        _Emitter(out, sort=sort).sequence(value, 0, first="")
    else:
        out.append(inline(value, 0, INDENT) + "\n")
    return "".join(out)


def write_entry(key: str, value: Any, *, indent: int, dash: int = 0) -> str:
    """One entry of a mapping whose keys are at `indent`, itself without it on its first line; ends in a newline."""
    out: list[str] = []
    _Emitter(out, sort=True, dash=dash).entry(key, value, indent)
    return "".join(out)


def write_item(value: Any, *, indent: int, dash: int = 0) -> str:
    """One element of a sequence, dash included; as `write_entry`."""
    out: list[str] = []
    _Emitter(out, sort=True, dash=dash).sequence([value], indent, first="")
    return "".join(out)


class _Emitter:
    """Appends the text of blocks to `out`. `first` is what the first line of a block begins with instead of its indent.

    `dash` is how much further in than its key a sequence is.
    """

    def __init__(self, out: list[str], *, sort: bool, dash: int = 0) -> None:
        self.write, self.sort, self.dash = out.append, sort, dash
        self.orders: dict[tuple[str, ...], list[str]] = {}

    def mapping(self, value: dict[str, Any], indent: int, first: str | None = None) -> None:
        pad = " " * indent
        lead = pad if first is None else first
        keys = tuple(value)
        order = self.orders.get(keys)
        if order is None:
            order = self.orders[keys] = sort_keys(keys) if self.sort else list(keys)
        for key in order:
            self.write(lead)
            self.entry(key, value[key], indent)
            lead = pad

    def entry(self, key: str, item: Any, indent: int) -> None:
        if type(key) is OddKey:
            raise InvalidYaml(f"key {key} is not a string", hint="quote it")
        text = _key(key)
        if text is None:
            self.write("? " + inline(key, indent + 2, indent + INDENT) + "\n" + " " * indent + ":")
            self.value(item, indent, indent + 1, compact=True)
            return
        self.write(text + ":")
        self.value(item, indent, indent + len(text) + 1, compact=False)

    def value(self, item: Any, indent: int, column: int, *, compact: bool) -> None:
        """What follows a key: on its line if it is a scalar or empty, below it otherwise."""
        if type(item) is str:
            self.write(" " + (item if _is_word(item) else string(item, column + 1, indent + INDENT)) + "\n")
        elif isinstance(item, dict) and item:
            if not compact:
                self.write("\n")
            self.mapping(item, indent + INDENT, first=" " if compact else None)
        elif isinstance(item, list) and item:
            if not compact:
                self.write("\n")
            self.sequence(item, indent + (INDENT if compact else self.dash), first=" " if compact else None)
        else:
            self.write(" " + inline(item, column + 1, indent + INDENT) + "\n")

    def sequence(self, value: list[Any], indent: int, first: str | None = None) -> None:
        pad = " " * indent
        lead = pad if first is None else first
        for item in value:
            self.write(lead + "-")
            if isinstance(item, dict) and item:
                self.mapping(item, indent + INDENT, first=" ")
            elif isinstance(item, list) and item:
                self.sequence(item, indent + INDENT, first=" ")
            else:
                self.write(" " + inline(item, indent + 2, indent + INDENT) + "\n")
            lead = pad


def _is_word(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text not in _RESERVED and len(text) < WIDTH


def inline(value: Any, column: int, indent: int) -> str:
    """A scalar or an empty collection. `column` is where it begins, `indent` where its further lines do."""
    if isinstance(value, str):
        return string(value, column, indent)
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value) if _INT64 <= value < _UINT64 else go_float(float(value))
    if isinstance(value, Unprintable):
        raise InvalidYaml(f"'{value.text}' has no place in JSON")
    if isinstance(value, Raw):
        return inline(value.value, column, indent)
    if isinstance(value, float):
        return go_float(value)
    return "{}" if isinstance(value, dict) else "[]"


def go_float(value: float) -> str:
    """A float64 as Go's strconv.FormatFloat(f, 'g', -1, 64) writes it; whole numbers that fit 64 bits as integers."""
    whole = integral(value)
    return str(whole) if isinstance(whole, int) and _INT64 <= whole < _UINT64 else go_shortest(value)


def go_shortest(value: float) -> str:
    """The same, whole numbers with an exponent from a million on."""
    if value == 0:
        return "0"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    before, _, after = mantissa.partition(".")
    power = len(before.lstrip("0")) - 1 if before.lstrip("0") else len(after.lstrip("0")) - len(after) - 1
    digits = (before + after).strip("0")
    power += int(exponent or 0)
    sign = "-" if value < 0 else ""
    if -4 <= power < _EXPONENT_FROM:
        return sign + _positional(digits, power)
    return f"{sign}{digits[0]}{'.' + digits[1:] if len(digits) > 1 else ''}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _positional(digits: str, power: int) -> str:
    if power < 0:
        return "0." + "0" * (-power - 1) + digits
    digits = digits.ljust(power + 1, "0")
    return digits[: power + 1] + ("." + digits[power + 1 :] if len(digits) > power + 1 else "")


def _key(key: str) -> str | None:
    """A key on one line; None if it is too long or has line breaks."""
    if _is_word(key):
        return key
    if len(key.encode("utf-8", "surrogatepass")) > _SIMPLE_KEY or "\n" in key:
        return None
    if key == "":
        return '""'
    return string(key, 0, 0, breaks=False)


def needs_quotes(text: str) -> bool:
    """Whether a plain scalar of this text would be read as something else than a string (YAML 1.1)."""
    if text == "" or resolve_11(text) is not text:
        return True
    return (text[0] in "+-0123456789") and (_BASE_60.fullmatch(text) is not None or timestamp(text) is not None)


def string(text: str, column: int, indent: int, *, breaks: bool = True) -> str:
    """A string in the style the emitter picks. `column` is where it begins, `indent` where its further lines do."""
    if "\n" in text:
        if breaks and literal_allowed(text):
            return literal_text(text, indent)
        return _double(text, column, indent, breaks=breaks)
    if _OTHER_BREAK.search(text):
        return (
            _single(text, column, indent)
            if breaks and _BREAK_BY_SPACE.search(text) is None
            else _double(text, column, indent, breaks=breaks)
        )
    if needs_quotes(text) or _UNPRINTABLE.search(text):
        return _double(text, column, indent, breaks=breaks)
    if plain_allowed(text):
        return _folded(text, column, indent) if breaks else text
    quoted = text.replace("'", "''")
    return f"'{quoted}'" if not breaks or column + len(quoted) < WIDTH else _single(text, column, indent)


def plain_allowed(text: str) -> bool:
    """Whether a text that is not empty can stand in a block without quotes."""
    first = text[0]
    if first in _LEADING or first == " " or text[-1] == " " or text.startswith(("---", "...")):
        return False
    if first in "?:-" and (len(text) == 1 or text[1] in " \t\n\x85\u2028\u2029"):
        return False
    return not (": " in text or " #" in text or text[-1] == ":")


def literal_allowed(text: str) -> bool:
    """Whether a text that is not empty can be a literal block."""
    return text[-1] != " " and " \n" not in text and not _UNPRINTABLE.search(text)


def literal_text(text: str, indent: int) -> str:
    """A literal block, its last newline left out."""
    hint = str(INDENT) if text[0] in " \n" else ""
    chomp = "-" if text[-1] != "\n" else "+" if len(text) == 1 or text[-2] == "\n" else ""
    pad = " " * indent
    lines = text.removesuffix("\n").split("\n")
    body = "\n".join(pad + line if line else "" for line in lines)
    return f"|{hint}{chomp}\n{body}"


def single_quoted(text: str) -> str:
    """In single quotes, on one line; in double ones where it has what single ones cannot hold."""
    return _double(text, 0, 0, breaks=False) if _UNPRINTABLE.search(text) else "'" + text.replace("'", "''") + "'"


def double_quoted(text: str) -> str:
    """In double quotes, on one line."""
    return _double(text, 0, 0, breaks=False)


def _folded(text: str, column: int, indent: int) -> str:
    """A plain scalar, broken at single spaces behind the width."""
    if column + len(text) <= WIDTH or " " not in text:
        return text
    out: list[str] = []
    pad = "\n" + " " * indent
    spaces = False
    for index, char in enumerate(text):
        if char == " " and not spaces and column > WIDTH and text[index + 1] != " ":
            out.append(pad)
            column = indent
        else:
            out.append(char)
            column += 1
        spaces = char == " "
    return "".join(out)


def _single(text: str, column: int, indent: int) -> str:
    out = ["'"]
    column += 1
    spaces, broken, last = False, False, len(text) - 1
    for index, char in enumerate(text):
        if char in "\u2028\u2029":
            out.append(char)
            broken, spaces, column = True, False, 0
            continue
        if broken:
            out.append(" " * indent)
            column, broken = indent, False
        if char == " " and not spaces and column > WIDTH and 0 < index < last and text[index + 1] != " ":
            out.append("\n" + " " * indent)
            column = indent
        else:
            out.append("''" if char == "'" else char)
            column += 2 if char == "'" else 1
        spaces = char == " "
    return "".join(out) + "'"


def _double(text: str, column: int, indent: int, *, breaks: bool) -> str:
    out = ['"']
    column += 1
    pad = "\n" + " " * indent
    spaces, last = False, len(text) - 1
    escape_all = text[:1] == _BOM
    for index, char in enumerate(text):
        if escape_all or char in '"\\\n\x85\u2028\u2029' or _UNPRINTABLE.search(char):
            escaped = _escape(char)
            out.append(escaped)
            column += len(escaped)
            spaces = False
        elif char == " ":
            if breaks and not spaces and column > WIDTH and 0 < index < last:
                out.append(pad)
                column = indent
                if text[index + 1] == " ":
                    out.append("\\")
                    column += 1
            else:
                out.append(char)
                column += 1
            spaces = True
        else:
            out.append(char)
            column += 1
            spaces = False
    return "".join(out) + '"'


def _escape(char: str) -> str:
    if char in _ESCAPES:
        return "\\" + _ESCAPES[char]
    code = ord(char)
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def sort_keys(keys: Iterable[str]) -> list[str]:
    """go-yaml's natural order: letters as letters, runs of digits as numbers, anything else before letters."""
    found = list(keys)
    if all(map(str.isalpha, found)):
        return sorted(found)
    return sorted(found, key=cmp_to_key(_compare))


def _compare(a: str, b: str) -> int:
    for index, (left, right) in enumerate(zip(a, b, strict=False)):
        if left == right:
            continue
        left_letter, right_letter = left.isalpha(), right.isalpha()
        if left_letter and right_letter:
            return -1 if left < right else 1
        if left_letter or right_letter:
            return -1 if right_letter else 1
        return _compare_from(a, b, index)
    return len(a) - len(b)


def _compare_from(a: str, b: str, index: int) -> int:
    """Two keys that first differ at `index`, by the numbers that begin there."""
    start = 0
    if a[index] == "0" or b[index] == "0":
        before = index - 1
        while before >= 0 and a[before].isdigit():
            if a[before] != "0":
                start = 1
                break
            before -= 1
    left, left_end = _digits(a, index, start)
    right, right_end = _digits(b, index, start)
    if left != right:
        return -1 if left < right else 1
    if left_end != right_end:
        return left_end - right_end
    return -1 if a[index] < b[index] else 1


def _digits(text: str, index: int, value: int) -> tuple[int, int]:
    while index < len(text) and text[index].isdigit():
        value = value * 10 + (ord(text[index]) - ord("0"))
        index += 1
    return value, index
