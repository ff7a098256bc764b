"""The normal form of an answer, in which two right servers agree, and what differs between two of them."""

import json
import re
from typing import Any

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+")
_CONTINUE = re.compile(r"^eyJ2Ijoi[\w-]+$")
_SERVICE_IP = re.compile(r"\b10\.0\.\d+\.\d+\b")
_SUFFIX = re.compile(r"\b(kube-api-access-)[a-z0-9]{5}\b")
# Messages that print the server's own structs, or a difference of two of them: the first line up to there is compared.
_STRUCT = re.compile(r'(?s)Invalid value: \{"[A-Z].*')
# A patch that does not fit quotes the whole object, its version included, in an order of its own.
_DOCUMENT = re.compile(r'(?s)Invalid value: "\{\\".*\}"')
_DRAWN_PORT = re.compile(r"Duplicate value: 3[0-2]\d{3}\b")
_DIFFERENCE = re.compile(r"(?s)\n.*")
_PORTS = ("nodePort", "healthCheckNodePort")
_LOWEST_NODE_PORT = 30000
_MANY = 2


def normal(value: Any, key: str = "") -> Any:
    """Uids, versions, times, random names, given addresses and ports are masked; lists without an order are sorted."""
    if isinstance(value, dict):
        return _mapping(value)
    if isinstance(value, list):
        found = [normal(one) for one in value]
        return sorted(found, key=_text) if key in ("managedFields", "causes") else found
    if isinstance(value, str):
        return _masked(value)
    if key in _PORTS and isinstance(value, int) and value >= _LOWEST_NODE_PORT:
        return "<port>"
    return value


def _mapping(value: dict[str, Any]) -> dict[str, Any]:
    found = {key: normal(one, key) for key, one in value.items()}
    if "resourceVersion" in found:
        found["resourceVersion"] = "<version>"
    message = found.get("message")
    if found.get("kind") == "Status" and isinstance(message, str):
        causes = (found.get("details") or {}).get("causes") or ()
        if len(causes) >= _MANY:
            found["message"] = message.partition(" is invalid: ")[0]  # the causes are compared
        elif "strict decoding error" in message or "errors:" in message:
            found["message"] = sorted(re.split(r", |\n", message))
    return found


def _masked(text: str) -> str:
    for pattern, mask in (
        (_UUID, "<uid>"),
        (_TIME, "<time>"),
        (_SERVICE_IP, "<ip>"),
        (_TOKEN, "<token>"),
        (_DRAWN_PORT, "Duplicate value: <port>"),
        (_CONTINUE, "<continue>"),
        (_SUFFIX, r"\1<random>"),
    ):
        text = pattern.sub(mask, text)
    text = _DOCUMENT.sub('Invalid value: "<document>"', text)
    text = _STRUCT.sub("Invalid value: <struct>", text)
    return _DIFFERENCE.sub("", text) if "Forbidden: " in text else text


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def differences(real: Any, ours: Any, at: str = "") -> list[str]:
    """Where two normal forms differ, one line a place."""
    if isinstance(real, dict) and isinstance(ours, dict):
        return [line for key in sorted({*real, *ours}) for line in _entry(real, ours, key, f"{at}.{key}")]
    if isinstance(real, list) and isinstance(ours, list) and len(real) == len(ours):
        return [
            line
            for index, (left, right) in enumerate(zip(real, ours, strict=True))
            for line in differences(left, right, f"{at}[{index}]")
        ]
    if type(real) is type(ours) and real == ours:
        return []
    return [f"{at}: real {_short(real)}, ours {_short(ours)}"]


def _entry(real: dict[str, Any], ours: dict[str, Any], key: str, at: str) -> list[str]:
    if key not in ours:
        return [f"{at}: real {_short(real[key])}, ours absent"]
    if key not in real:
        return [f"{at}: real absent, ours {_short(ours[key])}"]
    return differences(real[key], ours[key], at)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 400 else f"{text[:300]}…{text[-80:]}"
