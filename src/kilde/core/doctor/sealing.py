"""How old the sealing keys are: a newest one that is long overdue means that nobody renews them."""

from collections.abc import Sequence

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.core.doctor.finding import Finding, Verdict

_DAY = 86400.0
_DUE = 30 * _DAY  # Sealed Secrets' default period of renewal
_GRACE = 7 * _DAY


def judge_keys(secrets: Sequence[Object], *, now: float) -> list[Finding]:
    """One finding about all key Secrets (`now`: seconds since the epoch); none where there are no keys."""
    made = [parse(str((each.get("metadata") or {}).get("creationTimestamp") or "")) for each in secrets]
    ages = sorted(now - moment for moment in made if moment is not None)
    if not ages:
        return []
    newest, oldest = ages[0] / _DAY, ages[-1] / _DAY
    says = f"{len(ages)} sealing {'key' if len(ages) == 1 else 'keys'}, the newest {newest:.0f} and the oldest {oldest:.0f} days old"
    if ages[0] > _DUE + _GRACE:
        hint = "renewal is every 30 days by default: is the controller running, and its --seal-key-renew-period not 0?"
        return [
            Finding(
                area="secrets",
                check="keys",
                verdict=Verdict.WATCH,
                says=says,
                hint=hint,
                numbers={"newestDays": newest},
            )
        ]
    return [Finding(area="secrets", check="keys", verdict=Verdict.GOOD, says=says, numbers={"newestDays": newest})]
