"""Certificates that end soon, or have ended: of the API server, of our own identity, of those who are asked by the cluster."""

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509

from kilde.core.doctor.finding import Finding, Verdict

_DAY = 86400.0
_SOON, _NOW = 30 * _DAY, 7 * _DAY
_MOST = 20


@dataclass(frozen=True, slots=True)
class Held:
    """PEM certificates, and whose they are."""

    whose: str
    pem: bytes


def judge_certificates(held: Iterable[Held], *, now: float) -> list[Finding]:
    """Those that end within 30 days, one finding each; else one on all. What is no certificate is passed over: others judge that."""
    ends = [(end, each.whose) for each in held if (end := _end(each.pem)) is not None]
    if not ends:
        return []
    soon = sorted((end, whose) for end, whose in ends if end - now < _SOON)
    if not soon:
        first = min(end for end, _ in ends)
        says = f"{len(ends)} certificates, the first of which ends in {(first - now) / _DAY:.0f} days"
        numbers = {"firstSeconds": first - now}
        return [Finding(area="certificates", check="all", verdict=Verdict.GOOD, says=says, numbers=numbers)]
    return [_ending(end - now, whose) for end, whose in soon[:_MOST]]


def _ending(left: float, whose: str) -> Finding:
    verdict = Verdict.BAD if left < _NOW else Verdict.WATCH
    says = f"ends in {left / _DAY:.0f} days" if left > 0 else f"ended {-left / _DAY:.0f} days ago"
    hint = "renew it: what trusts it stops to answer on that day"
    return Finding(area="certificates", check=whose, verdict=verdict, says=says, hint=hint, numbers={"seconds": left})


def _end(pem: bytes) -> float | None:
    """When the first of them ends that does; None if there is none that can be read."""
    try:
        return min(each.not_valid_after_utc.timestamp() for each in x509.load_pem_x509_certificates(pem))
    except ValueError:
        return None
