"""Judges made of tables: most custom resources tell their health by a condition or by one word, each in its own terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, parts, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing, unknown

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


def observed(judge: Judge, waiting: str) -> Judge:
    """That judge, for a status of the newest generation; Progressing while the status is of another one."""
    return lambda obj: progressing(waiting) if is_behind(obj) else judge(obj)


def is_behind(obj: Object) -> bool:
    """Whether the status names a generation that is not the object's."""
    return is_of_another(obj, part(obj, "status"))


def is_of_another(obj: Object, item: Object) -> bool:
    """Whether a condition (or a status) names a generation that is not the object's."""
    generation, seen = part(obj, "metadata").get("generation"), item.get("observedGeneration")
    return None not in (generation, seen) and generation != seen


def first(obj: Object, kind: str, answer: str = "") -> Object | None:
    """The first condition of a type and, unless "", with that status."""
    return next(
        (item for item in conditions(obj) if text(item, "type") == kind and answer in ("", item.get("status"))), None
    )


def is_talking(obj: Object) -> bool:
    """Whether the status has conditions at all, were there none in the list."""
    return isinstance(part(obj, "status").get("conditions"), list)


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


def by_ancestors(kind: str, *, is_strict: bool = False) -> Judge:
    """A policy, by each gateway (or the like) that it is for. Strict: every one must tell its generation, and accept."""

    def judge(obj: Object) -> Health:
        generation, verdict = part(obj, "metadata").get("generation"), progressing(f"Waiting for {kind} status")
        ancestors = [(_ancestor(one), parts(one, "conditions")) for one in parts(part(obj, "status"), "ancestors")]
        for name, told in ancestors:
            seen = [item.get("observedGeneration") for item in told]
            is_old = any(one != generation and (is_strict or one is not None) for one in seen)
            if generation is not None and is_old:
                return progressing(f"Waiting for Ancestor {name} to update {kind} status")
        for name, told in ancestors:
            for item in told:
                if text(item, "type") in ("Accepted", "ResolvedRefs") and text(item, "status") != "True":
                    return degraded(f"Ancestor {name}: {said(item)}")
            if any(text(item, "type") == "Accepted" for item in told):
                verdict = healthy(f"{kind} is healthy")
            elif is_strict:
                verdict = degraded(f"Ancestor {name}: {kind} is not accepted")
        return verdict

    return judge


def _ancestor(one: Object) -> str:
    return text(part(one, "ancestorRef"), "name")
