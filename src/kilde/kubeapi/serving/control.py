"""Requests that steer the cluster itself, below /kilde: its clock, faults on demand, and a snapshot of all objects.

Not Kubernetes' API: for tests and for `kilde cluster`. RBAC guards the paths like any other that is no resource.
"""

from typing import Any

import msgspec

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.moment import rfc3339
from kilde.core.basics.reading import duration
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.clock import VirtualClock
from kilde.kubeapi.controllers.loop import Loop
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import failures
from kilde.kubeapi.serving.faults import Faults, read_fault
from kilde.kubeapi.serving.http import NOT_FOUND, Request, Response, answer, text
from kilde.kubeapi.storage.snapshot import written
from kilde.kubeapi.world import World

PREFIX = "/kilde"
_FASTEST, _FARTHEST = 10_000.0, 366 * 86_400.0


class Control:
    """Answers what is asked below /kilde."""

    def __init__(self, world: World, clock: VirtualClock, faults: Faults) -> None:
        self._world, self._clock, self._faults = world, clock, faults
        self.loop: Loop | None = None  # there once the controllers are; without them only the time moves

    async def serve(self, request: Request) -> Response:
        """The answer; ApiError 400 for a body that cannot be read."""
        path = request.path.rstrip("/")
        if path == f"{PREFIX}/clock" and request.method in ("GET", "POST"):
            if request.method == "POST":
                await self._move(await _body(request))
            return answer(200, self._time())
        if path == f"{PREFIX}/faults" and request.method in ("GET", "PUT", "POST", "DELETE"):
            return await self._fault(request)
        if path == f"{PREFIX}/snapshot" and request.method == "GET":
            return Response(200, written(self._world.store, self._clock.now()), "application/gzip")
        return text(404, NOT_FOUND)

    def _time(self) -> Object:
        now = self._clock.now()
        return {"now": rfc3339(now), "seconds": now, "speed": self._clock.speed}

    async def _move(self, asked: Any) -> None:
        """`{"advance": "30s"}` or seconds, and `{"speed": 10}`."""
        known = {"advance", "speed"}
        if not isinstance(asked, dict) or not asked or asked.keys() - known:
            raise failures.bad_request('say {"advance": "30s"} or {"speed": 10}')
        if "speed" in asked:
            self._clock.run(_number(asked["speed"], "speed", _FASTEST))
        if "advance" in asked:
            seconds = _number(asked["advance"], "advance", _FARTHEST)
            if self.loop is not None:
                await self.loop.advance(self._clock, seconds)
            else:
                self._clock.advance(seconds)

    async def _fault(self, request: Request) -> Response:
        if request.method in ("PUT", "POST"):
            raw = await _body(request)
            every = raw if isinstance(raw, list) else [raw]
            try:
                found = [read_fault(one, f"fault[{index}]") for index, one in enumerate(every)]
            except InvalidInput as error:
                raise failures.bad_request(str(error)) from error
            self._faults.put(found, replace=request.method == "PUT")
        elif request.method == "DELETE":
            self._faults.put([], replace=True)
        return answer(200, {"faults": self._faults.shown()})


async def _body(request: Request) -> Any:
    try:
        return msgspec.json.decode(await request.body())
    except msgspec.DecodeError as error:
        raise failures.bad_request(f"the body is not JSON: {error}") from error


def _number(value: Any, name: str, most: float) -> float:
    found = duration(value) if isinstance(value, str) else value
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not 0 <= found <= most:
        raise _wrong(name, value, most)
    return float(found)


def _wrong(name: str, value: Any, most: float) -> ApiError:
    return failures.bad_request(
        f"{name}: must be between 0 and {most:.0f} (seconds, or a duration like 30s), not {value!r}"
    )
