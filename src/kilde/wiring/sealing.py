"""`kilde seal controller`: the controller of SealedSecrets alone, put together and run."""

import asyncio
import contextlib
from collections.abc import Callable

from kilde.adapters.cluster.client import KubeCluster
from kilde.core.basics.errors import KildeError
from kilde.engine.sealing.controller import SealingController
from kilde.engine.sealing.endpoint import Endpoint
from kilde.engine.sealing.rival import rival
from kilde.web.sealing import SealingApp
from kilde.web.server import serving
from kilde.wiring import SealSettings, first_of, sealing_controller, until_stopped


async def run_sealing(
    settings: SealSettings, cluster: KubeCluster, ready: Callable[[], None], stop: asyncio.Event, renew: asyncio.Event
) -> None:
    """`kilde seal controller`: opens until `stop` is set; makes a new key whenever `renew` is. KildeError."""
    if found := await rival(cluster, settings.sealing.namespace):
        hint = "remove it (its keys are taken over), or give another --namespace"
        raise KildeError("the Sealed Secrets controller runs in this namespace", about=found, hint=hint)
    opens = sealing_controller(settings, cluster)
    app = SealingApp(Endpoint(opens), rate=settings.rate, burst=settings.burst)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(serving(app, *settings.listen))
        if settings.metrics_listen is not None:
            await stack.enter_async_context(serving(app, *settings.metrics_listen))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(job) for job in (opens.run(), until_stopped(stop))]
                extra = [
                    group.create_task(_when_loaded(opens, ready)),
                    group.create_task(opens.keyring.renew_when(renew)),
                ]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in (*tasks, *extra):
                    task.cancel()
        except BaseExceptionGroup as failed:
            raise first_of(failed) from failed


async def _when_loaded(opens: SealingController, ready: Callable[[], None]) -> None:
    await opens.keyring.loaded.wait()
    ready()
