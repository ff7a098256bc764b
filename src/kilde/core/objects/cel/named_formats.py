"""Named formats (`format.dns1123Label()`): what is wrong with a text, in the words of the real server."""

import binascii
import re
from collections.abc import Callable, Mapping
from datetime import date

from kilde.core.objects.cel.values import CelError, Format

_ENDS = "and must start and end with an alphanumeric character"
_LABEL, _LABEL_1035 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?", "[a-z]([-a-z0-9]*[a-z0-9])?"
_DOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})(.\d+)?(z|[+-]\d{2}:\d{2})", re.ASCII)
_Wrong = Callable[[str], list[str]]


def _pattern(what: str, pattern: str, most: int, *examples: str) -> _Wrong:
    """A text of at most so many characters that is as a pattern says."""
    compiled = re.compile(pattern, re.ASCII)
    shown = " or ".join(f"'{example}', " for example in examples)

    def wrong(text: str) -> list[str]:
        long = [f"must be no more than {most} characters"] if len(text.encode("utf-8", "surrogatepass")) > most else []
        if compiled.fullmatch(text):
            return long
        return [*long, f"{what} (e.g. {shown}regex used for validation is '{pattern}')"]

    return wrong


_label = _pattern(
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {_ENDS}",
    *(_LABEL, 63, "my-name", "123-abc"),
)
_subdomain = _pattern(
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {_ENDS}",
    *(_DOMAIN, 253, "example.com"),
)
_label_1035 = _pattern(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character",
    *(_LABEL_1035, 63, "my-name", "abc-123"),
)
_label_value = _pattern(
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_ENDS}",
    *(f"({_KEY})?", 63, "MyValue", "my_value", "12345"),
)
_key = _pattern(
    f"must consist of alphanumeric characters, '-', '_' or '.', {_ENDS}", _KEY, 63, "MyName", "my.name", "123-abc"
)


def _qualified(text: str) -> list[str]:
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        told = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {_key('-')[0]} {told}"]
    wrong: list[str] = []
    if slash:
        wrong += [f"prefix part {one}" for one in (_subdomain(prefix) if prefix else ["must be non-empty"])]
    if not name:
        wrong.append("name part must be non-empty")
    return wrong + [f"name part {one}" for one in _key(name)]


def _as_prefix(wrong: _Wrong) -> _Wrong:
    """Of what something is put after: a dash at the end does no harm."""
    return lambda text: wrong(f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text)


def _uri(text: str) -> list[str]:
    from kilde.core.objects.cel.network import parsed_url  # it is made of functions, as this is

    try:
        parsed_url(text)
    except CelError as error:
        return [str(error).removeprefix("URL parse error during conversion from string: ")]
    return []


def _uuid(text: str) -> list[str]:
    return [] if _UUID.fullmatch(text) else ["does not match the UUID format"]


def _byte(text: str) -> list[str]:
    try:
        binascii.a2b_base64(text.replace("\n", "").replace("\r", ""), strict_mode=True)
    except ValueError:
        return ["invalid base64"]
    return []


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _date(text: str) -> list[str]:
    return [] if _is_date(text) else ["invalid date"]


def _datetime(text: str) -> list[str]:
    day, _, time = text.lower().partition("t")
    found = _TIME.fullmatch(time)
    fits = found is not None and int(found[1]) < 24 and int(found[2]) < 60 and int(found[3]) < 60
    return [] if fits and _is_date(day) else ["invalid datetime"]


FORMATS: Mapping[str, Format] = {
    "dns1123Label": Format("DNS1123Label", _label, 30),
    "dns1123Subdomain": Format("DNS1123Subdomain", _subdomain, 60),
    "dns1035Label": Format("DNS1035Label", _label_1035, 30),
    "qualifiedName": Format("QualifiedName", _qualified, 60),
    "dns1123LabelPrefix": Format("DNS1123LabelPrefix", _as_prefix(_label), 30),
    "dns1123SubdomainPrefix": Format("DNS1123SubdomainPrefix", _as_prefix(_subdomain), 60),
    "dns1035LabelPrefix": Format("DNS1035LabelPrefix", _as_prefix(_label_1035), 30),
    "labelValue": Format("LabelValue", _label_value, 40),
    "uri": Format("URI", _uri, 1103),
    "uuid": Format("uuid", _uuid, 70),
    "byte": Format("byte", _byte, 84),
    "date": Format("date", _date, 71),
    "datetime": Format("datetime", _datetime, 71),
}
"""By name. The numbers are what Kubernetes counts the patterns as."""
