"""Which refusals are worth another try, and when."""

from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import ClusterError

WRITE_BACKOFF = Backoff(first=0.25, factor=2.0, ceiling=10.0)
MAX_TRIES = 6
LONGEST_WAIT = 60.0  # seconds: a server that asks for more is treated as down for this operation


def worth_another_try(error: ClusterError) -> bool:
    """No answer, too many requests, a conflict of versions, or a fault of the server's own.

    What was refused before it was sent (a name that is none) stays so. A typed-patch failure is a 500 that no retry
    mends; so is a 409 that names field managers or says AlreadyExists.
    """
    if error.status == 0:
        return error.reason != "Invalid"
    if error.status in (408, 425, 429, 502, 503, 504):
        return True
    if error.status == 500:
        return "failed to create typed patch object" not in error.what
    return error.status == 409 and error.reason == "Conflict" and not error.causes


def wait_before(error: ClusterError, tries: int, *, dice: float) -> float:
    """Seconds to wait after so many tries: what the server asked for, or the back-off."""
    planned = WRITE_BACKOFF.delay(tries, dice=dice)
    if error.retry_after is not None:
        return min(max(error.retry_after, planned), LONGEST_WAIT)
    return planned
