"""Limits: how hard and how long we lean on an API server; and the token bucket that holds us to it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """Seconds, unless said otherwise."""

    connections: int = 16  # for requests; watches have their own (specs: more only adds latency)
    rate: float = 400.0  # requests a second in the long run; 0: no limit
    burst: int = 800  # requests that may come at once
    writes: int = 0  # within any minute; 0: no limit
    connect: float = 10.0
    answer: float = 60.0  # from sending a request to the end of its answer
    listing: float = 300.0  # the same for a page of a list
    page: int = 500  # objects a page
    watch_shortest: float = 300.0  # timeoutSeconds of a watch is spread from here to twice this, as client-go does
    watch_idle: float = 150.0  # without a line (bookmarks come each minute) a watch is taken for dead
    largest_answer: int = 512 << 20  # bytes
    largest_event: int = 32 << 20  # bytes
    first_pause: float = 0.25
    longest_pause: float = 10.0


def budget(writes: int) -> "TokenBucket":
    """A bucket that lets no more than so many through within any minute, a quarter of them at once; 0: no limit."""
    burst = max(1, writes // 4)
    return TokenBucket(max(writes - burst, min(writes, 1)) / 60, burst)


class TokenBucket:
    """Arithmetic of a token bucket; time is told to it."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, float(burst)
        self._tokens, self._at = float(burst), 0.0

    def reserve(self, now: float) -> float:
        """Takes one token and says how many seconds to wait before using it (0: none)."""
        if self._rate <= 0:
            return 0.0
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = max(now, self._at)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)
