"""Judges made of tables: most custom resources tell their health by a condition or by one word, each in its own terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, HealthStatus, progressing, unknown

Judge = Callable[[Object], Health]

INVALID: Final = unknown("Lua returned an invalid health status")
"""What Argo CD says of a status that the check of its kind has no answer for."""


@dataclass(frozen=True, slots=True)
class When:
    """A condition that decides: its type and, unless "", its status and reason.

    The verdict's message is `message`; where that is None, the condition's own, and `otherwise` where it has none.
    """

    type: str
    status: str
    health: HealthStatus
    message: str | None = None
    otherwise: str = ""
    reason: str = ""

    def meets(self, item: Object) -> bool:
        return (
            text(item, "type") == self.type
            and (not self.status or text(item, "status") == self.status)
            and (not self.reason or text(item, "reason") == self.reason)
        )

    def verdict(self, item: Object) -> Health:
        return Health(self.health, said(item, self.otherwise) if self.message is None else self.message)


def well(kind: str, message: str | None = None) -> When:
    """Healthy when the condition is True."""
    return When(kind, "True", HealthStatus.HEALTHY, message)


def ill(kind: str, status: str = "True", otherwise: str = "") -> When:
    """Degraded when the condition has that status."""
    return When(kind, status, HealthStatus.DEGRADED, None, otherwise)


def said(item: Object, otherwise: str = "") -> str:
    """The message; `otherwise` only where there is none at all (an empty one is a message)."""
    found = item.get("message")
    return found if isinstance(found, str) else otherwise


def message_or_reason(item: Object) -> str:
    return said(item, text(item, "reason"))


def by_conditions(*rules: When, waiting: str) -> Judge:
    """A judge: the first condition, in the object's order, that a rule is for; Progressing with `waiting` until then."""

    def judge(obj: Object) -> Health:
        for item in conditions(obj):
            for rule in rules:
                if rule.meets(item):
                    return rule.verdict(item)
        return progressing(waiting)

    return judge


def by_rank(*rules: When, waiting: str) -> Judge:
    """A judge: the first rule, in the order given, that some condition meets; Progressing with `waiting` until then."""

    def judge(obj: Object) -> Health:
        found = list(conditions(obj))
        for rule in rules:
            for item in found:
                if rule.meets(item):
                    return rule.verdict(item)
        return progressing(waiting)

    return judge


def by_word(
    field: str, words: Mapping[str, Health], *, absent: Health, other: Callable[[str], Health] | None = None
) -> Judge:
    """A judge of one word in status: `words` has its verdicts, `other` makes one of any other word (else `absent`)."""

    def judge(obj: Object) -> Health:
        word = text(part(obj, "status"), field)
        if not word:
            return absent
        return words.get(word) or (other(word) if other else absent)

    return judge


def ready(waiting: str, kind: str = "Ready") -> Judge:
    """The commonest judge: that condition True is Healthy, False is Degraded, each with the condition's message."""
    return by_conditions(well(kind), ill(kind, "False"), waiting=waiting)
