"""What ports.clock.Clock promises, held to by the machine's clock and by virtual time."""

import asyncio

import pytest

from kilde.adapters.clock import SystemClock
from kilde.ports.clock import Clock
from kilde.testing.clock import FakeClock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("clock", [SystemClock(), FakeClock()], ids=["system", "fake"])
async def test_a_sleep_is_never_shorter_than_asked(clock: Clock) -> None:
    begun, now = clock.monotonic(), clock.now()
    sleeping = asyncio.ensure_future(clock.sleep(0.05))
    if isinstance(clock, FakeClock):
        await clock.advance(0.05)
    await sleeping
    assert clock.monotonic() - begun >= 0.05
    assert clock.now() >= now
    await clock.sleep(-1)


@pytest.mark.parametrize("clock", [SystemClock(), FakeClock()], ids=["system", "fake"])
async def test_dice_fall_between_nought_and_one(clock: Clock) -> None:
    throws = [clock.dice() for _ in range(100)]
    assert all(0 <= throw < 1 for throw in throws)


async def test_a_fake_clock_wakes_sleepers_in_their_order() -> None:
    clock = FakeClock(1000.0)
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            woken.append((name, clock.monotonic()))

    tasks = [asyncio.ensure_future(sleeper("a", 1, 3)), asyncio.ensure_future(sleeper("b", 2, 1, 5))]
    await clock.advance(3.5)
    assert woken == [("a", 1.0), ("b", 2.0), ("b", 3.0)]
    assert (clock.now(), clock.next_waking) == (1003.5, 0.5)
    await clock.advance(10)
    await asyncio.gather(*tasks)
    assert woken[3:] == [("a", 4.0), ("b", 8.0)]
    assert clock.next_waking is None


async def test_a_sleeper_that_is_cancelled_holds_nobody_up() -> None:
    clock = FakeClock()
    task = asyncio.ensure_future(clock.sleep(1))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.next_waking is None
    await clock.advance(2)
    assert clock.monotonic() == 2.0
