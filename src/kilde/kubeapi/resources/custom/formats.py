"""String formats a CRD's schema may ask for, as kube-openapi's strfmt judges them."""

import binascii
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from urllib.parse import urlsplit

from kilde.core.basics.reading import duration
from kilde.core.basics.values import Object

_HOSTNAME = re.compile(r"([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_MAC = re.compile(r"(?:[0-9a-fA-F]{2}([:-]))(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>()]+@[^\s@<>()]+", re.ASCII)
_UUID = "[0-9a-f]{8}-?[0-9a-f]{4}-?%s-?%s-?[0-9a-f]{12}"
_ANY, _VARIANT = "[0-9a-f]{4}", "[89ab][0-9a-f]{3}"
_HEX_COLOUR = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", re.ASCII)
_BYTE = r"\s*(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])\s*"
_RGB_COLOUR = re.compile(rf"rgb\({_BYTE},{_BYTE},{_BYTE}\)", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def _pattern(pattern: "re.Pattern[str]") -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _uuid(version: str, variant: str) -> Callable[[str], bool]:
    pattern = re.compile(_UUID % (version, variant), re.ASCII)
    return lambda text: pattern.fullmatch(text.lower()) is not None


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return holds


def _base64(text: str) -> bytes:
    return binascii.a2b_base64(text.replace("\n", "").replace("\r", ""), strict_mode=True)


def _uri(text: str) -> bool:
    """An absolute URI or an absolute path (Go's url.ParseRequestURI)."""
    try:
        return text.startswith("/") or bool(urlsplit(text).scheme)
    except ValueError:
        return False


def _luhn(text: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", text)
    total = sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(reversed(digits)))
    return 13 <= len(digits) <= 19 and total % 10 == 0


def _isbn(text: str) -> str:
    return re.sub(r"[\s-]+", "", text)


def _isbn10(text: str) -> bool:
    digits = _isbn(text)
    if not re.fullmatch(r"[0-9]{9}[0-9X]", digits, re.ASCII):
        return False
    values = [10 if digit == "X" else int(digit) for digit in digits]
    return sum((index + 1) * value for index, value in enumerate(values)) % 11 == 0


def _isbn13(text: str) -> bool:
    digits = _isbn(text)
    if not re.fullmatch(r"[0-9]{13}", digits, re.ASCII):
        return False
    return sum(int(digit) * (1 if index % 2 == 0 else 3) for index, digit in enumerate(digits)) % 10 == 0


def _date_time(text: str) -> bool:
    return _DATE_TIME.fullmatch(text) is not None and _parses(datetime.fromisoformat)(
        re.sub(r"\.\d+", "", text).upper()
    )


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "bsonobjectid": _pattern(re.compile(r"[0-9a-f]{24}", re.ASCII)),
    "byte": _parses(_base64),
    "cidr": _parses(lambda text: ipaddress.ip_network(text, strict=False) if "/" in text else int("not a network")),
    "creditcard": _luhn,
    "date": _parses(date.fromisoformat),
    "date-time": _date_time,
    "datetime": _date_time,
    "duration": lambda text: duration(text) is not None,
    "email": _pattern(_EMAIL),
    "hexcolor": _pattern(_HEX_COLOUR),
    "hostname": _pattern(_HOSTNAME),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "isbn": lambda text: _isbn10(text) or _isbn13(text),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "k8s-long-name": lambda text: len(text) <= 253 and _SUBDOMAIN.fullmatch(text) is not None,
    "k8s-short-name": lambda text: len(text) <= 63 and _LABEL.fullmatch(text) is not None,
    "mac": _pattern(_MAC),
    "rgbcolor": _pattern(_RGB_COLOUR),
    "ssn": _pattern(re.compile(r"\d{3}[- ]?\d{2}[- ]?\d{4}", re.ASCII)),
    "uri": _uri,
    "uuid": _uuid(_ANY, _ANY),
    "uuid3": _uuid("3[0-9a-f]{3}", _ANY),
    "uuid4": _uuid("4[0-9a-f]{3}", _VARIANT),
    "uuid5": _uuid("5[0-9a-f]{3}", _VARIANT),
}


_OF_NUMBERS: Mapping[str, tuple[str, ...]] = {"integer": ("int32", "int64"), "number": ("float", "double")}
TEXT_FORMATS = frozenset({name.replace("-", "") for name in FORMATS} | {"password"})


def unknown_formats(definition: Object) -> list[str]:
    """The formats in the schemas of a CRD that no value is checked for, as often as they stand there; equal versions count once."""
    schemas = [
        (one.get("schema") or {}).get("openAPIV3Schema") or {} for one in definition["spec"].get("versions") or ()
    ]
    if schemas and all(schema == schemas[0] for schema in schemas):
        schemas = schemas[:1]
    return [name for schema in schemas for name in _unknown(schema)]


def _unknown(schema: Object) -> Iterator[str]:
    name, kind = schema.get("format") or "", schema.get("type") or "string"
    known = name.replace("-", "") in TEXT_FORMATS if kind == "string" else name in _OF_NUMBERS.get(kind, ())
    if name and not known:
        yield name
    for key in ("items", "not", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from _unknown(schema[key])
    for key in ("allOf", "anyOf", "oneOf"):
        for one in schema.get(key) or ():
            yield from _unknown(one or {})
    for one in (schema.get("properties") or {}).values():
        yield from _unknown(one or {})
