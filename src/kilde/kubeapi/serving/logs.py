"""`kubectl logs`: what a pretended container has written, at once or followed until it ends."""

import asyncio
from collections.abc import Callable

from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import options
from kilde.kubeapi.logic.pod_log import Chosen, Line, chosen_lines, written
from kilde.kubeapi.serving.http import Request, Response, Send, text
from kilde.kubeapi.storage.records import Change
from kilde.kubeapi.verbs.subresources import kubelet
from kilde.kubeapi.verbs.subresources.kubelet import Log
from kilde.kubeapi.world import World

_TYPE = "text/plain; charset=utf-8"
_LOOK_AGAIN = 0.5  # seconds: lines that time alone brings are sent so soon


async def serve(world: World, request: Request, call: Call, send: Send, stopping: Callable[[], bool]) -> None:
    """Answers GET …/log. ApiError before the first byte."""
    found = kubelet.log(world, call, request.query)
    if found is None:
        await Response(204, b"", "").send(request, send)
        return
    chosen = kubelet.chosen(call, request.query, world.time())
    lines = chosen_lines(found.lines(world), chosen)
    if not options.flag(request.query, "follow"):
        body = written(lines, chosen)[: chosen.limit]
        await text(200, body.decode(errors="ignore")).send(request, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", _TYPE.encode())]})
    await _follow(world, request, call, found, lines, chosen, send, stopping)


async def _follow(
    world: World,
    request: Request,
    call: Call,
    found: Log,
    lines: list[Line],
    chosen: Chosen,
    send: Send,
    stopping: Callable[[], bool],
) -> None:
    """Sends the lines that are there and each that comes, until the container ends or the client goes."""
    wake = asyncio.Event()
    budget = chosen.limit

    def changed(change: Change) -> None:
        if (change.key.namespace, change.key.name) == (call.namespace, call.name):
            wake.set()

    async def until_gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        wake.set()

    stop = world.store.listen("pods", changed)
    seen = len(found.lines(world))
    try:
        async with asyncio.TaskGroup() as group:
            gone = group.create_task(until_gone())
            while True:
                body = written(lines, chosen)[:budget]
                budget = None if budget is None else budget - len(body)
                if body:
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                if found.over or gone.done() or stopping() or budget == 0:
                    break
                await _wait(wake)
                found = found.again(world, call)
                every = found.lines(world)
                lines, seen = every[seen:], len(every)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            gone.cancel()
    finally:
        stop()


async def _wait(wake: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_LOOK_AGAIN):
            await wake.wait()
    except TimeoutError:
        pass
    wake.clear()
