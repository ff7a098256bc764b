"""Web: HTTP requests to forges and plugins, for the generators of ApplicationSets."""

from typing import Protocol

from kilde.core.sets.outside import Answer, Request


class Web(Protocol):
    """Promises.

    * `request` gives whatever status came; it raises GeneratorFailed when no answer came within the request's time, or the
      answer is larger than 16 MiB. No redirect is followed to another host.
    * The certificate is checked against the system's authorities and the request's own, unless the request says otherwise.
    * Messages hold neither headers nor query.
    """

    async def request(self, request: Request) -> Answer: ...

    async def close(self) -> None: ...


__all__ = ["Answer", "Request", "Web"]
