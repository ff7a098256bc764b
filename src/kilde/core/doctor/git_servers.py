"""Whether the Git servers can be reached from here, how fast, with whose credentials, and how old what was fetched is."""

from collections.abc import Sequence
from dataclasses import dataclass

from kilde.core.doctor.durations import told
from kilde.core.doctor.finding import Finding, Verdict

_SLOW, _TOO_SLOW = 2.0, 10.0  # seconds for a list of refs
_STALE = 900.0  # seconds; Argo CD's and our own poll is three minutes
MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One repository as it was asked for its refs. `seconds` None: it did not answer, `failure` says why.

    `opened_by`: the Secrets whose credentials were used. `known_hosts`: types of the keys that are known of its host (None: not SSH).
    `fetched`: seconds since the controller's last good fetch (None: not known).
    """

    url: str
    seconds: float | None
    failure: str = ""
    hint: str = ""
    opened_by: tuple[str, ...] = ()
    known_hosts: tuple[str, ...] | None = None
    fetched: float | None = None


def judge_contacts(contacts: Sequence[Contact], *, left_out: int = 0) -> list[Finding]:
    """One finding a repository; `left_out`: how many were not asked."""
    found = [_judged(each) for each in contacts]
    if left_out:
        says = f"{left_out} more repositories were not asked"
        found.append(Finding(area="git", check="servers", verdict=Verdict.UNKNOWN, says=says))
    return found


def _judged(contact: Contact) -> Finding:
    numbers = {} if contact.fetched is None else {"fetchedSeconds": contact.fetched}
    check = f"server/{contact.url}"
    if contact.seconds is None:
        hint = contact.hint or "applications stay at the last commit that was fetched until it answers"
        says = f"{contact.failure} ({_how(contact)})"
        return Finding(area="git", check=check, verdict=Verdict.BAD, says=says, hint=hint, numbers=numbers)
    verdict, hint = Verdict.GOOD, ""
    if contact.fetched is not None and contact.fetched >= _STALE:
        verdict, hint = Verdict.WATCH, "is the controller running? kilde app list tells why it does not fetch"
    if contact.seconds >= _SLOW:
        verdict = Verdict.WATCH if contact.seconds < _TOO_SLOW else Verdict.BAD
        hint = "each look at Git takes that long: a mirror near the controller, or fewer refs, or webhooks and a longer --poll"
    says = f"answers in {told(contact.seconds)} ({_how(contact)})"
    numbers["seconds"] = contact.seconds
    return Finding(area="git", check=check, verdict=verdict, says=says, hint=hint, numbers=numbers)


def _how(contact: Contact) -> str:
    parts = [f"opened by {' and '.join(contact.opened_by)}" if contact.opened_by else "without credentials"]
    if contact.known_hosts is not None:
        parts.append(f"known host: {', '.join(contact.known_hosts) or 'none'}")
    if contact.fetched is not None:
        parts.append(
            f"fetched {told(contact.fetched)} ago"
            if contact.fetched < 600
            else f"fetched {contact.fetched / 60:,.0f} min ago"
        )
    return "; ".join(parts)
