"""Validation of conditions of the one shape that newer statuses share (meta/v1 Condition)."""

import re
from collections.abc import Iterator

from kilde.core.basics.values import Json
from kilde.kubeapi.resources.causes import Cause, duplicate, invalid, not_supported, required, too_long
from kilde.kubeapi.resources.validation.names import qualified_name

_STATUSES = ("False", "True", "Unknown")
_REASON = r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_REASON_TEXT = (
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:',"
    " and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',"
    f"  or 'ReasonA:ReasonB', regex used for validation is '{_REASON}')"
)
_LONGEST_REASON, _LONGEST_MESSAGE = 1024, 32 * 1024


def check_status_conditions(conditions: Json, at: str) -> Iterator[Cause]:
    """What is wrong with a list of conditions, each of a type of its own."""
    seen: set[str] = set()
    for index, one in enumerate(conditions or ()):
        where, kind, reason = f"{at}[{index}]", one.get("type") or "", one.get("reason") or ""
        if kind in seen:
            yield duplicate(f"{where}.type", kind)
        seen.add(kind)
        yield from (invalid(f"{where}.type", kind, text) for text in qualified_name(kind))
        if one.get("status") not in _STATUSES:
            yield not_supported(f"{where}.status", one.get("status") or "", _STATUSES)
        if (one.get("observedGeneration") or 0) < 0:
            yield invalid(
                f"{where}.observedGeneration", one["observedGeneration"], "must be greater than or equal to zero"
            )
        if one.get("lastTransitionTime") is None:
            yield required(f"{where}.lastTransitionTime")
        if not reason:
            yield required(f"{where}.reason")
        else:
            if not re.fullmatch(_REASON, reason, re.ASCII):
                yield invalid(f"{where}.reason", reason, _REASON_TEXT)
            if len(reason.encode()) > _LONGEST_REASON:
                yield too_long(f"{where}.reason", _LONGEST_REASON)
        if len((one.get("message") or "").encode()) > _LONGEST_MESSAGE:
            yield too_long(f"{where}.message", _LONGEST_MESSAGE)
