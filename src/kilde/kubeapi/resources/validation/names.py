"""Rules for names, labels and keys, each a function that says what is wrong with a text (apimachinery's util/validation)."""

import ipaddress
import re
from collections.abc import Callable, Mapping

Rule = Callable[[str], list[str]]

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_UNDERSCORED = r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_DNS_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_CONFIG_KEY = r"[-._a-zA-Z0-9]+"
_RELAXED_ENV_NAME = r"[ -<>-~]+"

_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric"
    f" character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an"
    rf" alphanumeric character (e.g. 'example.com', regex used for validation is '{_LABEL}(\.{_LABEL})*')"
)
_UNDERSCORED_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an"
    rf" alphanumeric character (e.g. 'example.com', regex used for validation is '{_UNDERSCORED}(\.{_UNDERSCORED})*')"
)
_DNS_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an"
    f" alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '{_DNS_1035}')"
)
_QUALIFIED_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    f" (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)
_LABEL_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an"
    f" alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '({_QUALIFIED})?')"
)
_CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name',"
    f" regex used for validation is '{_CONFIG_KEY}')"
)
_WILDCARD_TEXT = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric"
    " characters, '-' or '.' and end with an alphanumeric character"
    rf" (e.g. '*.example.com', regex used for validation is '\*\.{_LABEL}(\.{_LABEL})*')"
)


def longer_than(most: int, unit: str = "characters") -> str:
    """What is said of a text with more bytes than allowed."""
    return f"must be no more than {most} {unit}"


def _rule(pattern: str, text: str, most: int, unit: str = "characters") -> Rule:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> list[str]:
        fits = compiled.fullmatch(value) is not None
        if fits and len(value) <= most:
            return []
        found = [longer_than(most, unit)] if len(value.encode()) > most else []
        return found if fits else [*found, text]

    return check


_label = _rule(_LABEL, _LABEL_TEXT, 63)
dns_subdomain = _rule(_SUBDOMAIN, _SUBDOMAIN_TEXT, 253)
long_name = _rule(_SUBDOMAIN, _SUBDOMAIN_TEXT, 253, "bytes")
"""A subdomain, as the format `k8s-long-name` and the prefixes of keys have it."""
underscored_subdomain = _rule(rf"{_UNDERSCORED}(\.{_UNDERSCORED})*", _UNDERSCORED_TEXT, 253)
dns_1035_label = _rule(_DNS_1035, _DNS_1035_TEXT, 63)
label_value = _rule(f"({_QUALIFIED})?", _LABEL_VALUE_TEXT, 63, "bytes")
wildcard_subdomain = _rule(rf"\*\.{_SUBDOMAIN}", _WILDCARD_TEXT, 253)
_qualified_name = _rule(_QUALIFIED, _QUALIFIED_TEXT, 63, "bytes")
_config_key = _rule(_CONFIG_KEY, _CONFIG_KEY_TEXT, 253)


_SIMPLE, _DOTTED = re.compile(_QUALIFIED, re.ASCII), re.compile(_SUBDOMAIN, re.ASCII)
_NO_DOTS = "must not contain dots"


def dns_label(value: str) -> list[str]:
    """An RFC 1123 label; of what would be a subdomain it is told that the dots are wrong."""
    found = _label(value)
    return (
        [_NO_DOTS if text == _LABEL_TEXT else text for text in found] if found and _DOTTED.fullmatch(value) else found
    )


def qualified_name(value: str) -> list[str]:
    """`name` or `example.com/name`, as keys of labels and annotations are."""
    if len(value) <= 63 and _SIMPLE.fullmatch(value):
        return []
    parts = value.split("/")
    if len(parts) > 2:
        return [
            f"a valid label key {_QUALIFIED_TEXT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    found: list[str] = []
    if len(parts) == 2:
        if not parts[0]:
            found.append("prefix part must be non-empty")
        else:
            found.extend(f"prefix part {text}" for text in long_name(parts[0]))
    if not parts[-1]:
        found.append("name part must be non-empty")
        found.append(f"name part {_QUALIFIED_TEXT}")
        return found
    return [*found, *(f"name part {text}" for text in _qualified_name(parts[-1]))]


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret."""
    found = _config_key(value)
    if value == ".":
        found.append("must not be '.'")
    elif value == "..":
        found.append("must not be '..'")
    elif value.startswith(".."):
        found.append("must not start with '..'")
    return found


_ENV = re.compile(_RELAXED_ENV_NAME, re.ASCII)


def env_name(value: str) -> list[str]:
    """The name of an environment variable: any printable ASCII but `=` (Kubernetes 1.32 and newer)."""
    if not _ENV.fullmatch(value):
        return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
    return []


def path_segment(value: str) -> list[str]:
    """A name that may hold anything a path segment may, as those of roles do."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in value]


def port_name(value: str) -> list[str]:
    """An IANA service name."""
    found: list[str] = []
    if len(value) > 15:
        found.append("must be no more than 15 characters")
    if not re.fullmatch(r"[-a-z0-9]+", value, re.ASCII):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", value):
        found.append("must contain at least one letter (a-z)")
    if "--" in value:
        found.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        found.append("must not begin or end with a hyphen")
    return found


def port_number(value: int) -> list[str]:
    """A port that can be listened on."""
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]


def ip_name(value: str) -> list[str]:
    """The canonical text of an IP address."""
    try:
        found = ipaddress.ip_address(value)
    except ValueError:
        octets = value.split(".")
        if len(octets) == 4 and all(each.isdecimal() and int(each) < 256 for each in octets):
            return ["must not have leading 0s"]
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        return ["must not be an IPv4-mapped IPv6 address"]
    return [] if value == str(found) else [f'must be in canonical form ("{found}")']


# The rule for the names of a kind; an RFC 1123 subdomain for the others.
NAME_RULES: Mapping[tuple[str, str], Rule] = {
    ("", "ReplicationController"): long_name,
    ("resource.k8s.io", "DeviceClass"): long_name,
    ("certificates.k8s.io", "CertificateSigningRequest"): path_segment,
    ("", "Namespace"): dns_label,
    ("", "Service"): dns_label,
    ("apiregistration.k8s.io", "APIService"): path_segment,
    ("apps", "StatefulSet"): dns_label,
    ("networking.k8s.io", "IPAddress"): ip_name,
    ("rbac.authorization.k8s.io", "ClusterRole"): path_segment,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): path_segment,
    ("rbac.authorization.k8s.io", "Role"): path_segment,
    ("rbac.authorization.k8s.io", "RoleBinding"): path_segment,
}
