"""Checks that many kinds share: numbers, choices, names, selectors, quantities. Each yields what is wrong at a field."""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json
from kilde.core.objects.quantity import Quantity, parse
from kilde.core.objects.selector import label_selector
from kilde.kubeapi.resources.causes import Cause, Struct, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.metadata import check_labels
from kilde.kubeapi.resources.validation.names import Rule, label_value, port_name, qualified_name

NOT_NEGATIVE = "must be greater than or equal to 0"
IMMUTABLE = "field is immutable"
PORT_RANGE = "must be between 1 and 65535, inclusive"
PERCENT = re.compile(r"[0-9]+%", re.ASCII)
_PERCENT_TEXT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%',"
    " regex used for validation is '[0-9]+%')"
)


def get(value: Json, *path: str, default: Any = None) -> Any:
    """The value at a path of maps; `default` where it is absent or null."""
    for step in path:
        if not isinstance(value, dict):
            return default
        value = value.get(step)
    return default if value is None else value


def items(value: Json, *path: str) -> Iterator[tuple[int, Any]]:
    """The items of the list at a path, numbered."""
    return enumerate(get(value, *path, default=()))


def not_negative(value: Json, at: str) -> Iterator[Cause]:
    """A number, where there is one, is 0 or more."""
    if value is not None and value < 0:
        yield invalid(at, value, NOT_NEGATIVE)


def positive(value: Json, at: str) -> Iterator[Cause]:
    """A number, where there is one, is more than 0."""
    if value is not None and value <= 0:
        yield invalid(at, value, "must be greater than zero")


def between(value: Json, low: int, high: int, at: str) -> Iterator[Cause]:
    """A number, where there is one, is in a range."""
    if value is not None and not low <= value <= high:
        yield invalid(at, value, f"must be between {low} and {high}, inclusive")


def one_of(value: Json, allowed: Sequence[str], at: str, *, needed: bool = False) -> Iterator[Cause]:
    """A word is one of a few; an empty one is missing if it is needed."""
    if not value:
        if needed:
            yield required(at)
    elif value not in allowed:
        yield not_supported(at, value, allowed)


def word_of(value: Json, allowed: Sequence[str], at: str) -> Iterator[Cause]:
    """A word, where there is one, is one of a few; an empty one is none of them."""
    if value is not None and value not in allowed:
        yield not_supported(at, value, allowed)


def named(value: Json, rule: Rule, at: str, *, needed: bool = False) -> Iterator[Cause]:
    """A text keeps a rule for names."""
    if not value:
        if needed:
            yield required(at)
    else:
        yield from (invalid(at, value, text) for text in rule(value))


def needed(value: Json, at: str, detail: str = "") -> Iterator[Cause]:
    """Something is there and not empty."""
    if not value:
        yield required(at, detail)


def port(value: Json, at: str) -> Iterator[Cause]:
    """A port by number or name; a missing number is 0."""
    if isinstance(value, str):
        yield from (invalid(at, value, text) for text in port_name(value))
    elif not 1 <= (value or 0) <= 65535:
        yield invalid(at, value or 0, PORT_RANGE)


def ip_address(value: str, at: str) -> Iterator[Cause]:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        yield invalid(at, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")


def endpoint_ip(value: str, at: str) -> Iterator[Cause]:
    """An address that traffic can be sent to."""
    problems = list(ip_address(value, at))
    yield from problems
    if problems:
        return
    address = ipaddress.ip_address(value)
    if address.is_unspecified:
        yield invalid(at, value, f"may not be unspecified ({value})")
    if address.is_loopback:
        yield invalid(at, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_link_local:
        yield invalid(at, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if address.is_multicast and value.lower().startswith(("224.0.0.", "ff02:")):
        yield invalid(at, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")


def cidr(value: str, at: str) -> Iterator[Cause]:
    """A network such as 10.0.0.0/8."""
    try:
        ipaddress.ip_network(value if "/" in value else "", strict=False)
    except ValueError:
        yield invalid(at, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")


def int_or_percent(value: Json, at: str, *, most: bool = False) -> Iterator[Cause]:
    """A number that is not negative, or a percentage (with `most`: of 100 % and less)."""
    if isinstance(value, str):
        if not PERCENT.fullmatch(value):
            yield invalid(at, value, _PERCENT_TEXT)
        elif most:
            yield from at_most_all(value, at)
    elif value is not None:
        yield from not_negative(value, at)


def at_most_all(value: Json, at: str) -> Iterator[Cause]:
    """A percentage is of 100 % and less."""
    if isinstance(value, str) and PERCENT.fullmatch(value) and int(value[:-1]) > 100:
        yield invalid(at, value, "must not be greater than 100%")


def is_zero(value: Json) -> bool:
    """Whether a number or percentage is none at all; of other texts those of a number count as it, the rest as none."""
    if isinstance(value, str):
        number = value[:-1] if PERCENT.fullmatch(value) else value
        return not re.fullmatch(r"[+-]?[0-9]+", number) or not int(number)
    return not value


_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def check_selector(selector: Json, at: str) -> Iterator[Cause]:
    """A LabelSelector object."""
    if not isinstance(selector, Mapping):
        return
    yield from check_labels(selector.get("matchLabels"), f"{at}.matchLabels")
    for index, expression in items(selector, "matchExpressions"):
        yield from _expression(expression, f"{at}.matchExpressions[{index}]")


def _expression(expression: Mapping[str, Any], at: str) -> Iterator[Cause]:
    operator, values = expression.get("operator") or "", expression.get("values") or ()
    if operator in ("In", "NotIn") and not values:
        yield required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist") and values:
        yield forbidden(f"{at}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator not in _OPERATORS:
        yield invalid(f"{at}.operator", operator, "not a valid selector operator")
    key = expression.get("key") or ""
    yield from (invalid(f"{at}.key", key, text) for text in qualified_name(key))
    for index, value in enumerate(values):
        yield from (invalid(f"{at}.values[{index}]", value, text) for text in label_value(value))


def selects(selector: Json, labels: Json) -> bool:
    """Whether a LabelSelector object matches labels; none matches nothing, one that cannot be read matches all."""
    if not isinstance(selector, Mapping):
        return False
    try:
        return label_selector(dict(selector)).matches(labels or {})
    except InvalidInput:
        return True


def as_declared(selector: Json) -> Json:
    """A LabelSelector object as a refusal quotes it: labels first."""
    if not isinstance(selector, Mapping):
        return selector
    return Struct({key: selector[key] for key in ("matchLabels", "matchExpressions") if key in selector})


def is_empty(selector: Json) -> bool:
    """Whether a LabelSelector object has no condition at all."""
    return not get(selector, "matchLabels") and not get(selector, "matchExpressions")


def quantity(value: Json) -> Quantity | None:
    """A quantity; None if it is not one (a decoder refuses such before)."""
    return _quantity(value) if isinstance(value, (str, int, float)) else None


@lru_cache(maxsize=4096)
def _quantity(value: str | float) -> Quantity | None:
    try:
        return parse(value)
    except InvalidInput:
        return None


def quantity_not_negative(value: Json, at: str) -> Iterator[Cause]:
    """A quantity, where there is one, is 0 or more."""
    found = None if value is None else quantity(value)
    if found is not None and found.value < 0:
        yield invalid(at, found.text, NOT_NEGATIVE)


def unchanged(new: Json, old: Json, at: str) -> Iterator[Cause]:
    """A field may not change."""
    if new != old:
        yield invalid(at, new, IMMUTABLE)
