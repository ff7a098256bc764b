"""Downloads: single files of the web that a source names, such as values of a chart."""

from typing import Protocol


class Downloads(Protocol):
    """Promises.

    * `get` gives the body of a successful answer; it raises SourceUnavailable for any other, and for an address that is not asked;
      LimitExceeded for more than 8 MiB. No credentials are sent but those in the address itself.
    * Messages hold no query and no user.
    """

    async def get(self, url: str) -> bytes: ...

    async def close(self) -> None: ...
