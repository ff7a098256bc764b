"""Flags as kubeseal's parser (spf13/pflag) reads them, each also from SEALED_SECRETS_<FLAG>; the command line wins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from kilde.core.basics.reading import duration

Kind = Literal["text", "flag", "list", "texts", "number", "duration"]
ENVIRONMENT = "SEALED_SECRETS"
_YES = ("1", "t", "T", "true", "TRUE", "True")
_NO = ("0", "f", "F", "false", "FALSE", "False")
_SHOWN: Mapping[Kind, str] = {
    "text": "string",
    "list": "strings",
    "texts": "stringArray",
    "number": "int",
    "duration": "duration",
}


class WrongFlag(ValueError):
    """A flag that is not known or has a value it cannot have: the words are for people, the exit code is 2."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. A `list` is cut at commas, `texts` are not; both may be repeated. `choices`: the only values, if any."""

    name: str
    about: str
    kind: Kind = "text"
    short: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()
    hidden: bool = False

    def _is_read(self, value: str) -> bool:
        if self.kind == "number":
            return value.lstrip("-").isdigit()
        return self.kind != "flag" or value in (*_YES, *_NO)

    def check(self, value: str) -> None:
        """WrongFlag if the flag cannot have that value."""
        problem = ""
        if self.choices and value and value not in self.choices:
            problem = f"must be one of: {', '.join(self.choices)}"
        elif not self._is_read(value):
            problem = f'parsing "{value}": invalid syntax'
        elif self.kind == "duration" and duration(value) is None:
            problem = f'time: invalid duration "{value}"'
        if problem:
            shown = f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"
            raise WrongFlag(f'invalid argument "{value}" for "{shown}" flag: {problem}')


@dataclass(slots=True)
class Values:
    """What the flags were given; names and defaults are the table's."""

    known: Mapping[str, Flag]
    given: dict[str, list[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        found = self.given.get(name)
        return found[-1] if found else self.known[name].default

    def is_set(self, name: str) -> bool:
        """The value of a flag that is yes or no."""
        return self.text(name) in _YES

    def number(self, name: str) -> int:
        return int(self.text(name))

    def seconds(self, name: str) -> float:
        return duration(self.text(name)) or 0.0

    def many(self, name: str) -> list[str]:
        """Every value of a flag that may be repeated."""
        found = self.given.get(name, [])
        if self.known[name].kind == "list":
            return [part for value in found for part in value.split(",") if part]
        return list(found)


def parse(table: Sequence[Flag], arguments: Sequence[str], environment: Mapping[str, str]) -> Values:
    """The values of the flags. WrongFlag. Arguments that are no flags are passed over, as kubeseal passes over them."""
    known = {flag.name: flag for flag in table}
    shorts = {flag.short: flag for flag in table if flag.short}
    values = Values(known)
    for flag in table:
        value = environment.get(f"{ENVIRONMENT}_{flag.name.upper().replace('-', '_')}")
        if value:
            flag.check(value)
            values.given[flag.name] = [value]
    of_the_line: dict[str, list[str]] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            break
        if argument.startswith("--"):
            _long(argument, known, rest, of_the_line)
        elif argument.startswith("-") and argument != "-":
            _short(argument[1:], shorts, rest, of_the_line)
    values.given.update(of_the_line)
    return values


def _long(argument: str, known: Mapping[str, Flag], rest: list[str], into: dict[str, list[str]]) -> None:
    name, equals, value = argument[2:].partition("=")
    if not name or name.startswith("-"):
        raise WrongFlag(f"bad flag syntax: {argument}")
    flag = known.get(name)
    if flag is None:
        raise WrongFlag(f"unknown flag: --{name}")
    if not equals:
        if flag.kind == "flag":
            value = "true"
        elif rest:
            value = rest.pop(0)
        else:
            raise WrongFlag(f"flag needs an argument: {argument}")
    flag.check(value)
    into.setdefault(name, []).append(value)


def _short(letters: str, shorts: Mapping[str, Flag], rest: list[str], into: dict[str, list[str]]) -> None:
    """`-o yaml`, `-oyaml`, `-o=yaml`; flags without a value may stand together."""
    for at, letter in enumerate(letters):
        flag = shorts.get(letter)
        if flag is None:
            raise WrongFlag(f"unknown shorthand flag: '{letter}' in -{letters}")
        if flag.kind == "flag" and letters[at + 1 : at + 2] != "=":
            into.setdefault(flag.name, []).append("true")
            continue
        value = letters[at + 1 :].removeprefix("=")
        if not letters[at + 1 :]:
            if not rest:
                raise WrongFlag(f"flag needs an argument: '{letter}' in -{letters}")
            value = rest.pop(0)
        flag.check(value)
        into.setdefault(flag.name, []).append(value)
        return


def usage(table: Sequence[Flag]) -> str:
    """The flags, one a line, sorted."""
    rows = []
    for flag in sorted(table, key=lambda one: one.name):
        if flag.hidden:
            continue
        head = f"  -{flag.short}, --{flag.name}" if flag.short else f"      --{flag.name}"
        rows.append((f"{head} {_SHOWN.get(flag.kind, '')}".rstrip(), flag))
    width = max(len(head) for head, _ in rows) + 3
    return "".join(f"{head.ljust(width)}{flag.about}{_default(flag)}\n" for head, flag in rows)


def _default(flag: Flag) -> str:
    if not flag.default or flag.kind == "flag":
        return ""
    return f" (default {flag.default})" if flag.kind in ("number", "duration") else f' (default "{flag.default}")'
