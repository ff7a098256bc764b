"""Selectors: label selectors as text (`app in (a,b),!x`) and as objects, field selectors as text.

Grammar, meaning and error texts are those of k8s.io/apimachinery (labels, fields).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json

Labels = Mapping[str, str]

_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|=|!|\(|\)|,|<|>|[^ \t\r\n=!(),<>]+)")
_KEY_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_KEY_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_SYMBOLS = frozenset({"==", "!=", "=", "!", "(", ")", ",", "<", ">", ""})
_BINARY = {"in": "in", "notin": "notin", "=": "in", "==": "in", "!=": "notin", ">": ">", "<": "<"}
_LONGEST_NAME, _LONGEST_PREFIX = 63, 253

_NAME_WORDS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_NAME_RULE = f"name part {_NAME_WORDS}"
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_SPARE_PREFIX = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a label: operator "in", "notin", "exists", "absent", ">" or "<"."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Whether labels meet it. "notin" holds where the label is missing; ">" and "<" only where it is a number."""
        found = labels.get(self.key)
        if self.operator == "exists":
            return found is not None
        if self.operator == "absent":
            return found is None
        if self.operator == "notin":
            return found is None or found not in self.values
        if found is None:
            return False
        if self.operator == "in":
            return found in self.values
        if not _INTEGER.fullmatch(found):
            return False
        return int(found) > int(self.values[0]) if self.operator == ">" else int(found) < int(self.values[0])


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All requirements must hold; none selects everything. `nothing` selects nothing."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Labels | None) -> bool:
        """Whether an object with these labels is selected."""
        have: Labels = labels or {}
        return not self.nothing and all(requirement.matches(have) for requirement in self.requirements)

    @property
    def everything(self) -> bool:
        """Whether it selects all objects."""
        return not self.requirements and not self.nothing


EVERYTHING = LabelSelector()
NOTHING = LabelSelector(nothing=True)


def parse_labels(text: str) -> LabelSelector:
    """Reads `a=b,c in (d,e),!f`. InvalidInput with the server's words."""
    return _Parser(text).selector()


class _Parser:
    def __init__(self, text: str) -> None:
        self._words = [match[1] for match in _TOKEN.finditer(text.rstrip(" \t\r\n"))] + [""]
        self._at = 0

    def _peek(self) -> str:
        return self._words[self._at]

    def _next(self) -> str:
        word = self._words[self._at]
        self._at = min(self._at + 1, len(self._words) - 1)
        return word

    def selector(self) -> LabelSelector:
        found: list[Requirement] = []
        while True:
            word = self._peek()
            if not word:
                return LabelSelector(tuple(found))
            if word in _SYMBOLS and word != "!":
                raise InvalidInput(f"found '{word}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except InvalidInput as error:
                raise InvalidInput(f"unable to parse requirement: {error.what}") from error
            end = self._next()
            if not end:
                return LabelSelector(tuple(found))
            if end != ",":
                raise InvalidInput(f"found '{end}', expected: ',' or 'end of string'")
            if self._peek() in _SYMBOLS and self._peek() != "!":
                raise InvalidInput(f"found '{self._peek()}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        negated = self._peek() == "!"
        if negated:
            self._next()
        key = self._identifier("found '{}', expected: identifier")
        _check_key(key)
        if negated or self._peek() in ("", ","):
            return Requirement(key, "absent" if negated else "exists")
        operator = self._next()
        if operator not in _BINARY:
            raise InvalidInput(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
        values = self._values() if operator in ("in", "notin") else (self._exact(),)
        _check_values(key, _BINARY[operator], values)
        return Requirement(key, _BINARY[operator], values)

    def _identifier(self, otherwise: str) -> str:
        word = self._next()
        if word in _SYMBOLS:
            raise InvalidInput(otherwise.format(word))
        return word

    def _exact(self) -> str:
        return "" if self._peek() in ("", ",") else self._identifier("found '{}', expected: identifier")

    def _values(self) -> tuple[str, ...]:
        word = self._next()
        if word != "(":
            raise InvalidInput(f"found '{word}' expected: '('")
        found: set[str] = set()
        before = "("
        while True:
            word = self._next()
            if word in (",", ")"):
                if before in ("(", ","):
                    found.add("")
                if word == ")":
                    return tuple(sorted(found))
            elif before not in ("(", ","):
                raise InvalidInput(f"found '{word}', expected: ',' or ')'")
            elif word in _SYMBOLS:
                wanted = "',', ')' or identifier" if before == "(" else "',', or identifier"
                raise InvalidInput(f"found '{word}', expected: {wanted}")
            else:
                found.add(word)
            before = word


def _check_key(key: str) -> None:
    *prefix, name = key.split("/")
    problems = []
    if len(prefix) > 1:
        problems.append(f"a valid label key {_NAME_WORDS} {_SPARE_PREFIX}")
    else:
        if prefix == [""]:
            problems.append("prefix part must be non-empty")
        elif prefix and not _KEY_PREFIX.fullmatch(prefix[0]):
            problems.append(f"prefix part {_SUBDOMAIN_RULE}")
        elif prefix and len(prefix[0]) > _LONGEST_PREFIX:
            problems.append("prefix part must be no more than 253 bytes")
        if not name:
            problems.append("name part must be non-empty")
        elif len(name) > _LONGEST_NAME:
            problems.append("name part must be no more than 63 bytes")
        if not _KEY_NAME.fullmatch(name):
            problems.append(_NAME_RULE)
    if problems:
        raise InvalidInput(f'<nil>: Invalid value: "{key}": {"; ".join(problems)}')


def _check_values(key: str, operator: str, values: tuple[str, ...]) -> None:
    for index, value in enumerate(values):
        if operator in "<>" and not _INTEGER.fullmatch(value):
            what = "for 'Gt', 'Lt' operators, the value must be an integer"
            raise InvalidInput(f'values[{index}]: Invalid value: "{value}": {what}')
        if len(value) > _LONGEST_NAME:
            raise InvalidInput(f'values[{index}][{key}]: Invalid value: "{value}": must be no more than 63 bytes')
        if not _VALUE.fullmatch(value):
            raise InvalidInput(f'values[{index}][{key}]: Invalid value: "{value}": {_VALUE_RULE}')


_OBJECT_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}


def label_selector(raw: Json) -> LabelSelector:
    """Reads a LabelSelector object (matchLabels, matchExpressions). None selects nothing, {} everything. InvalidInput."""
    if raw is None:
        return NOTHING
    if not isinstance(raw, Mapping):
        raise InvalidInput("a label selector is not an object")
    found = [Requirement(str(key), "in", (str(value),)) for key, value in (raw.get("matchLabels") or {}).items()]
    found.extend(_expression(each) for each in raw.get("matchExpressions") or ())
    return LabelSelector(tuple(found))


def _expression(raw: Any) -> Requirement:
    if not isinstance(raw, Mapping):
        raise InvalidInput("a match expression is not an object")
    operator = _OBJECT_OPERATORS.get(str(raw.get("operator")))
    if operator is None:
        raise InvalidInput(f'"{raw.get("operator")}" is not a valid label selector operator')
    values = tuple(str(value) for value in raw.get("values") or ())
    if operator in ("in", "notin") and not values:
        raise InvalidInput("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty")
    return Requirement(str(raw.get("key", "")), operator, values)


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """`field` is (`equal`) or is not `value`."""

    field: str
    value: str
    equal: bool = True


def parse_fields(text: str) -> tuple[FieldTerm, ...]:
    """Reads `metadata.name=a,spec.x!=b`; all terms must hold. `\\` escapes `,` and `=`. InvalidInput with the server's words."""
    return tuple(_term(part, text) for part in sorted(_split(text)) if part)


def _split(text: str) -> list[str]:
    parts, start, escaped = [], 0, False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == ",":
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _term(part: str, whole: str) -> FieldTerm:
    match = re.search(r"!=|==|=", part)
    if match is None:
        raise InvalidInput(f"invalid selector: '{whole}'; can't understand '{part}'")
    return FieldTerm(part[: match.start()], _unescaped(part[match.end() :]), match[0] != "!=")


def _unescaped(text: str) -> str:
    out, escaped = "", False
    for character in text:
        if escaped:
            if character not in "\\,=":
                raise InvalidInput(f"invalid field selector: invalid escape sequence: \\{character}")
            out, escaped = out + character, False
        elif character == "\\":
            escaped = True
        elif character in ",=":
            raise InvalidInput(f"invalid field selector: unescaped character in value: {ord(character)}")
        else:
            out += character
    if escaped:
        raise InvalidInput("invalid field selector: invalid escape sequence: \\")
    return out
