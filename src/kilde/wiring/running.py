"""What lasts until somebody stops it, and which of several errors is told."""

import asyncio

from kilde.core.basics.errors import KildeError


async def stopped(stop: asyncio.Event) -> None:
    """Ends when it is set."""
    await stop.wait()


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error a person should hear of: a KildeError where there is one, else the first."""
    told, others = group.split(KildeError)
    found: BaseException = told or others or group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
