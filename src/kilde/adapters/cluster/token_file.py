"""TokenFile: a bearer token that somebody else renews in a file (service accounts)."""

from pathlib import Path

from kilde.adapters.cluster.access import Credential
from kilde.core.basics.errors import ClusterError
from kilde.ports.clock import Clock

_REREAD = 60.0  # seconds, as client-go
_LARGEST = 1 << 20


class TokenFile:
    """Reads the file again once a minute, and at once after a 401."""

    def __init__(self, path: Path, clock: Clock, *, certificate: bytes = b"", key: bytes = b"") -> None:
        self._path, self._clock, self._certificate, self._key = path, clock, certificate, key
        self._held: Credential | None = None
        self._read_at = 0.0

    async def current(self, *, refused: Credential | None = None) -> Credential:
        now = self._clock.monotonic()
        if self._held is None or refused == self._held or now - self._read_at >= _REREAD:
            self._held, self._read_at = self._read(), now
        return self._held

    def _read(self) -> Credential:
        try:
            with self._path.open("rb") as file:
                token = file.read(_LARGEST).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            if self._held is not None:
                return self._held  # the file is being replaced: the token we have may still be good
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ClusterError(f"the token file cannot be read: {reason}", about=str(self._path)) from error
        return Credential(f"Bearer {token}", self._certificate, self._key)
