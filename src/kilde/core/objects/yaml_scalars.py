"""What a plain YAML scalar means: to Kubernetes (go-yaml 2, YAML 1.1) and to kustomize (go-yaml 3, mostly YAML 1.2).

Kubernetes' values are plain JSON values. kustomize's also remember how they were written where that shows later:
a quoted string stays a string whatever is patched over it, and `0x1F` copied into a string is the text "0x1F".
"""

import base64
import binascii
import re
from datetime import datetime, timedelta, timezone
from typing import Any

from kilde.core.basics.errors import InvalidYaml

_BOOL_12 = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
BOOL_11 = _BOOL_12 | {
    word: truth
    for words, truth in (("y Y yes Yes YES on On ON", True), ("n N no No NO off Off OFF", False))
    for word in words.split()
}
_SPECIAL_FLOATS = frozenset({".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF"})
_INFINITIES = frozenset({"+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"})
_HINTED = frozenset("+-0123456789.yYnNtTfFoO~")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_OCTAL = re.compile(r"[-+]?0[0-7]+")
_PREFIXED = re.compile(r"([-+]?)0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[oO]([0-7]+))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_POINT_FIRST = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")  # as Go's ParseFloat reads it
_DATE = r"(\d{4})-(\d{1,2})-(\d{1,2})"
_CLOCK = r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?"
_TIMESTAMP = re.compile(rf"{_DATE}(?:[Tt]{_CLOCK}(Z|[-+]\d\d:\d\d)| {_CLOCK})?")
_UINT64 = 1 << 64
_EXACT = 1 << 53  # up to here a float64 has every integer
_JSON_EXPONENT = 1e21  # from here on Go writes a float with an exponent, so it stays a float


class Quoted(str):
    """A string written in quotes or as a block: it stays a string when an unquoted scalar is put in its place."""

    __slots__ = ()


class Folded(Quoted):
    """A folded block as kustomize will print it; `raw` is what it says, and what is copied of it."""

    __slots__ = ("raw",)

    raw: str


class Raw:
    """A plain scalar that is not written as its value prints: `text` as written, `value` as JSON."""

    __slots__ = ("text", "value")

    def __init__(self, text: str, value: Any) -> None:
        self.text, self.value = text, value

    def __repr__(self) -> str:
        return f"Raw({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return bool(self.value == (other.value if isinstance(other, Raw) else other))

    def __hash__(self) -> int:
        return hash(self.value)


class OddKey(str):
    """A mapping key that is no string (`1: x`). kustomize reads it and cannot print it."""

    __slots__ = ()


class Unprintable(Raw):
    """`.inf` and `.nan`: read, but not to be written as JSON."""

    __slots__ = ()


class Binary(Raw):
    """A scalar tagged `!!binary`: its text is base64, its value what that says."""

    __slots__ = ()


class Null(Raw):
    """A null not written as `null`. Where nothing is written kustomize's merge drops it, where something is, keeps it."""

    __slots__ = ()


EMPTY = Null("", None)
EMPTY_IN_FLOW = Null("", "")  # kustomize prints it as ""


def is_null(value: Any) -> bool:
    """Whether a styled value is null, however it was written."""
    return value is None or isinstance(value, Null)


def integral(value: float) -> int | float:
    """A float as Go's JSON has it: a whole number below 1e21 is an integer, with as few digits as tell it apart."""
    if value != value or abs(value) >= _JSON_EXPONENT or value != int(value):
        return value
    if abs(value) < _EXACT:
        return int(value)
    digits, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = digits.removesuffix(".0").partition(".")
    found = int(whole + fraction.ljust(int(exponent or len(fraction)), "0"))
    return -found if value < 0 else found


def _integer(text: str) -> int | float | None:
    """A Go integer literal (decimal, 0x, 0b, 0o, 0777); a float where it does not fit 64 bits; None if it is none."""
    plain = text.replace("_", "") if "_" in text else text
    if _DECIMAL.fullmatch(plain):
        found = int(plain)
    elif _OCTAL.fullmatch(plain):
        found = int(plain, 8)
    elif match := _PREFIXED.fullmatch(plain):
        sign, hexadecimal, binary, octal = match.groups()
        base = 16 if hexadecimal else 2 if binary else 8
        found = int(sign + (hexadecimal or binary or octal), base)
    else:
        return None
    if -(_UINT64 >> 1) <= found < _UINT64:
        return found
    return integral(float(plain)) if _DECIMAL.fullmatch(plain) else None


def _number(text: str) -> int | float | None:
    """The number a plain scalar is; None if it is none."""
    if len(text) > 400:
        return None
    found = _integer(text)
    if found is not None:
        return found
    if "_" in text and text[0] == "." and not _POINT_FIRST.fullmatch(text):
        return None
    plain = text.replace("_", "") if "_" in text else text
    if _FLOAT.fullmatch(plain):
        value = float(plain)
        return integral(value) if abs(value) != float("inf") else None
    return None


def resolve_11(text: str) -> Any:
    """What Kubernetes sees in a plain scalar."""
    if not text or text[0] not in _HINTED:
        return None if text == "" else text
    if text in BOOL_11:
        return BOOL_11[text]
    if text in _NULLS:
        return None
    if text in _SPECIAL_FLOATS or text in _INFINITIES:
        return Unprintable(text, text)
    number = _number(text)
    if number is not None and isinstance(number, int) and number >= _UINT64 >> 1:
        return integral(float(number))
    return text if number is None else number


def resolve_12(text: str) -> Any:
    """What kustomize sees in a plain scalar; what is not written as its value prints is a Raw."""
    if not text:
        return EMPTY
    if text[0] not in _HINTED:
        return text
    if text in _BOOL_12:
        value = _BOOL_12[text]
        return value if text in ("true", "false") else Raw(text, value)
    if text in _NULLS:
        return None if text == "null" else Null(text, None)
    if text in _SPECIAL_FLOATS or text in _INFINITIES:
        return Unprintable(text, text)
    number = _number(text)
    if number is not None:
        return number if isinstance(number, int) and str(number) == text else Raw(text, number)
    if text[4:5] == "-":
        time = timestamp(text)
        if time is not None:
            return Raw(text, time)
    return text


def plain_key(key: str) -> str:
    """A key written without quotes: no string any more if it reads as something else."""
    return key if type(resolve_12(key)) is str else OddKey(key)


def timestamp(text: str) -> str | None:
    """The RFC 3339 text of a YAML timestamp, as Go prints it; None if it is none."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    year, month, day, *clock = match.groups()
    hour, minute, second, fraction = clock[5:] if clock[0] is None else clock[:4]
    zone = clock[4]
    try:
        offset = timedelta()
        if zone and zone != "Z":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:])) * (-1 if zone[0] == "-" else 1)
        date = (int(year), int(month), int(day))
        moment = datetime(*date, int(hour or 0), int(minute or 0), int(second or 0), tzinfo=timezone(offset))
    except ValueError:
        return None
    digits = (fraction or "").rstrip("0")
    suffix = "Z" if not offset else f"{'-' if offset < timedelta() else '+'}{_clock(abs(offset))}"
    return moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + (f".{digits[:9]}" if digits else "") + suffix


def _clock(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def text_of(value: Any) -> str:
    """The text of a scalar as it was written."""
    if isinstance(value, str):
        return value.raw if type(value) is Folded else value
    if isinstance(value, Raw):
        return value.text
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)


def to_json(value: Any) -> Any:
    """A styled value as the JSON value it stands for; a new tree, so that nobody shares it.

    Raises InvalidYaml for what JSON cannot hold: `.inf`, and keys that are no strings.
    """
    if type(value) is str:
        return value
    if isinstance(value, dict):
        return {_json_key(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, Unprintable):
        raise InvalidYaml(f"'{value.text}' has no place in JSON")
    if isinstance(value, Raw):
        return value.value
    if isinstance(value, float):
        return integral(value)
    return str(value) if isinstance(value, str) else value


def _json_key(key: str) -> str:
    if type(key) is str:
        return key
    if isinstance(key, OddKey):
        raise InvalidYaml(f"key {key} is not a string", hint="quote it")
    return str(key)


def copy_tree(value: Any) -> Any:
    """A copy that shares nothing that can change."""
    if isinstance(value, dict):
        return {
            key: copy_tree(item) if type(item) is dict or type(item) is list else item for key, item in value.items()
        }
    if isinstance(value, list):
        return [copy_tree(item) if type(item) is dict or type(item) is list else item for item in value]
    return value


def tagged(tag: str, text: str, *, kubernetes: bool, quoted: bool = False) -> Any:
    """A scalar with an explicit tag. Raises ValueError where text and tag do not fit; unknown tags leave a string."""
    short = tag.removeprefix("tag:yaml.org,2002:")
    if short == "binary":
        try:
            value = base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
            return value if kubernetes else Binary(text, value)
        except (binascii.Error, ValueError) as error:
            raise ValueError("!!binary value contains invalid base64 data") from error
    if short not in ("int", "float", "bool", "null", "timestamp"):
        return Quoted(text) if quoted and not kubernetes else text
    value = (resolve_11 if kubernetes else resolve_12)(text)
    inner = value.value if isinstance(value, Raw) else value
    fits = {
        "int": isinstance(inner, int) and not isinstance(inner, bool),
        "float": isinstance(inner, (int, float)) and not isinstance(inner, bool),
        "bool": isinstance(inner, bool),
        "null": inner is None,
        "timestamp": isinstance(value, Raw) and isinstance(inner, str),
    }[short]
    if not fits:
        raise ValueError(f"cannot decode '{text[:40]}' as !!{short}")
    return value
