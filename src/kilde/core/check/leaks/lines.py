"""Credentials in lines of any text: `NAME=value`, `name: "value"`, `--flag value`, `<name>value</name>`, headers, URLs."""

import re
from collections.abc import Iterator

from kilde.core.check.leaks.leak import Sighting, length_of
from kilde.core.check.leaks.names import Promise, promise_of
from kilde.core.check.leaks.tokens import LineStarts
from kilde.core.check.leaks.values import decoded, is_credential, is_placeholder, is_thrown

_TELLING = re.compile(
    r"pass|secret|token|key|cred|auth|pwd|dsn|conn|bearer|basic|jwt|salt|seed|otp|psk|hmac|curl|\bpw\b|\bpat\b|\bpin\b",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    r"""(?<![\w.$-])["']?(--?)?([A-Za-z_$][\w.$-]{0,79})(?:\[[^\]\s]{0,40}\])?["'\])]{0,3}"""
    r"""[ \t]{0,8}(=>|:=|={1,3}|:|(?<=\w)[ ](?=\S))[ \t]{0,8}"""
    r"""(?:[bruf@]{0,2}(?P<q>["'`])(?P<quoted>[^"'`\n]{1,512})(?P=q)|(?P<bare>[^\s"'`,;<>(){}\[\]]{1,512}))"""
)
_ELEMENT = re.compile(r"<([A-Za-z][\w.:-]{0,79})(?:\s[^<>]{0,120})?>([^<>\s]{4,256})</")
_ATTRIBUTE = re.compile(r"""\b(?:key|name)=["']([\w.:-]{1,80})["']\s{1,4}value=["']([^"'\s]{4,256})["']""")
_HEADER = re.compile(r"\b(basic|bearer|token)[ ]{1,3}([0-9A-Za-z+/=._~-]{12,2000})(?![\w.])", re.IGNORECASE)
_MACHINE = re.compile(r"\bmachine[ \t]+\S{1,200}[ \t\n]+login[ \t]+\S{1,200}[ \t\n]+password[ \t]+(\S{1,256})")
_PAIR = re.compile(r"""(?<!\S)(?:-u|--user|--basic)[ =]["']?([\w.@-]{1,64}):([^\s"':@]{4,128})["']?(?!\S)""")
_URL = re.compile(r"""://([^\s:/?#@"'<>\\]{0,128}):([^\s/"'<>@\\]{1,256})@(?=[\w\[$\{<%*.-])""")
_NETWORKS = ("localhost", "127.0.0.1", "example.com", "example.org", "example.net")
# names of a program: a.b, aWord, A_CONSTANT, _a_word, V1Class
_CHAIN = re.compile(
    r"_*[A-Za-z]\w*(?:(?:\.|->|::)[A-Za-z_]\w*)+|_*[a-z]+(?:[A-Z][a-z]+)+\d?|_*[A-Za-z]+\d?(?:_[A-Za-z]*\d{0,2})*|_*[A-Z]\d(?:[A-Z]+[a-z]+)+"
)
_THROWN = re.compile(r"[0-9A-Za-z_+/=.~:@%!-]+")
_CONNECTION = re.compile(r"(?<![A-Za-z])(password|pwd)[ ]?=[ ]?([^;\s\"'=]{4,128});", re.IGNORECASE)
_DEFAULTS = (
    re.compile(r"""([\w.$-]{1,80})[ )]{1,4}\|[ ]*default[ ]+["']([^"'\n]{1,256})["']"""),
    re.compile(r"""default[ ]+["']([^"'\n]{1,256})["'][ (]{1,4}([\w.$-]{1,80})"""),
)
_PGPASS = re.compile(r"^[^:\n#]{1,128}:[^:\n]{1,12}:[^:\n]{1,128}:[^:\n]{1,128}:([^\n]{4,256})$", re.MULTILINE)
_LONGEST_LINE = 1 << 16
_RANK, _COMMENT_RANK, _URL_RANK = 3, 2, 4
_COMMENTS = ("#", "//", ";", "--")


def find_in_lines(
    text: str, line: int = 1, *, code: bool, only_comments: bool = False, rule: str = "named-value"
) -> Iterator[Sighting]:
    """Named values of every line. `code`: of a program or of prose, where only a quoted value, or one that dice threw, is one."""
    if not _TELLING.search(text):
        return
    for number, whole in enumerate(text.split("\n"), line):
        if (only_comments and not whole.lstrip().startswith("#")) or not _TELLING.search(whole):
            continue
        comment = whole.lstrip().startswith(_COMMENTS)
        for begin in range(0, len(whole), _LONGEST_LINE):  # a longer one is cut, so that its cost is that of its length
            piece = whole[begin : begin + _LONGEST_LINE + 600]
            yield from _in_line(
                piece, number, begin, strict=code or comment, rule=rule, rank=_COMMENT_RANK if comment else _RANK
            )


def _in_line(text: str, line: int, begin: int, *, strict: bool, rule: str, rank: int) -> Iterator[Sighting]:
    for at, name, value in (*_assigned(text, strict), *_written(text)):
        yield Sighting(line, begin + at + 1, rule, "credential", named(name, value), value, rank)
    for match in _HEADER.finditer(text):
        if _is_header(match[1].lower(), match[2]):
            hint = f"{match[1]} … ({length_of(match[2])})"
            yield Sighting(line, begin + match.start(2) + 1, rule, "authorization header", hint, match[2], rank)
    for match in _PAIR.finditer(text):
        if not is_placeholder(match[2]) and not match[2].isdigit():
            hint = f"a password ({length_of(match[2])})"
            yield Sighting(line, begin + match.start(2) + 1, rule, "user and password", hint, match[2], rank)


def _written(text: str) -> Iterator[tuple[int, str, str]]:
    """Place, name and value of what is written as an element, as attributes, or in a connection string."""
    for pattern in (_ELEMENT, _ATTRIBUTE, _CONNECTION):
        for match in pattern.finditer(text):
            if is_credential(match[2], promise_of(match[1])):
                yield match.start(2), match[1], match[2]


def _is_header(scheme: str, value: str) -> bool:
    if scheme == "basic":
        user, colon, password = decoded(value).partition(":")
        return bool(colon and user) and not is_placeholder(password)
    return is_thrown(value)


def _assigned(text: str, strict: bool) -> Iterator[tuple[int, str, str]]:
    at = 0
    while (match := _ASSIGNED.search(text, at)) is not None:
        name, sign = match[2], match[3]
        promise = promise_of(name)
        if promise is Promise.NOTHING or (sign == " " and not match[1] and name.lower() != "password"):
            at = match.end(2)  # what seemed to be its value may be a name
            continue
        at = match.end()
        group = "quoted" if match["quoted"] is not None else "bare"
        value = match[group].strip()
        if group == "bare":
            value = value.rstrip(".:")
            if sign == " " or strict:
                promise = min(promise, Promise.KEY)
            if strict and (_CHAIN.fullmatch(value) or not _THROWN.fullmatch(value) or not is_thrown(value)):
                continue
        if is_credential(value, promise):
            yield match.start(group), name, match[group]


def find_urls(text: str, line: int = 1) -> Iterator[Sighting]:
    """Passwords in URLs."""
    if "://" not in text:
        return
    starts: LineStarts | None = None
    for match in _URL.finditer(text):
        user, password = match[1], match[2]
        if is_placeholder(password) or password.lower() in (
            user.lower(),
            "pass",
            "password",
            "pwd",
            "guest",
            "user",
            "secret",
            "port",
        ):
            continue
        if any(text.startswith(host, match.end()) for host in _NETWORKS[2:]):
            continue
        starts = starts or LineStarts(text)
        row, column = starts.of(match.start(2))
        hint = f"a URL with a password ({length_of(password)})"
        yield Sighting(line + row, column + 1, "url-credential", "password in a URL", hint, password, _URL_RANK)


def find_logins(name: str, text: str, line: int = 1) -> Iterator[Sighting]:
    """Passwords of a .netrc and of a .pgpass."""
    pattern = _PGPASS if name.endswith("pgpass") else _MACHINE
    if pattern is _MACHINE and ("machine" not in text or "password" not in text):
        return
    starts = LineStarts(text)
    for match in pattern.finditer(text):
        if not is_placeholder(match[1]):
            row, column = starts.of(match.start(1))
            yield Sighting(
                line + row, column + 1, "named-value", "login", f"a password ({length_of(match[1])})", match[1], _RANK
            )


def find_defaults(text: str, line: int = 1) -> Iterator[Sighting]:
    """Values that a template falls back to: `{{ .Values.password | default "x" }}`."""
    if "{{" not in text or "default" not in text:
        return
    starts = LineStarts(text)
    for number, pattern in enumerate(_DEFAULTS):
        for match in pattern.finditer(text):
            name, value = (match[1], match[2]) if number == 0 else (match[2], match[1])
            if is_credential(value, promise_of(name)):
                row, column = starts.of(match.start(2 if number == 0 else 1))
                yield Sighting(line + row, column + 1, "named-value", "credential", named(name, value), value, _RANK)


_TELLABLE = re.compile(r"[\w.$/ -]{1,64}")


def named(name: str, value: str) -> str:
    """`the value of 'db.password' (12 characters)`; a name that is odd is not repeated."""
    shown = (
        f"the value of '{name}'" if _TELLABLE.fullmatch(name) and name not in value and value not in name else "a value"
    )
    return f"{shown} ({length_of(value)})"
