"""The controller of SealedSecrets, put together: beside the one of Applications, or alone."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import rsa

from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.core.basics.errors import KildeError
from kilde.engine.derived.secret_writer import Tell
from kilde.engine.sealing.controller import SealingController
from kilde.engine.sealing.endpoint import Endpoint
from kilde.engine.sealing.rival import rival
from kilde.engine.sealing.settings import SealingSettings
from kilde.ports.vault import Vault
from kilde.web.sealing import SealingApp
from kilde.web.server import serving
from kilde.wiring.key_stores import Keys, open_key_store
from kilde.wiring.running import first_error, stopped
from kilde.wiring.vault import open_vault


@dataclass(frozen=True, slots=True, kw_only=True)
class SealSettings:
    """What `kilde seal controller` was asked for: where it answers, and how keys are stored. `rate` requests a second."""

    sealing: SealingSettings = field(default_factory=SealingSettings)
    listen: tuple[str, int] = ("127.0.0.1", 8080)
    metrics_listen: tuple[str, int] | None = None
    key_prefix: str = "sealed-secrets-key"
    key_labels: Mapping[str, str] = field(default_factory=dict)
    key_annotations: Mapping[str, str] = field(default_factory=dict)
    keys: Keys = field(default_factory=Keys)
    rate: float = 2.0
    burst: int = 2


def sealing_controller(
    settings: SealSettings, cluster: KubeCluster, vault: Vault | None, *, tell: Tell | None = None
) -> SealingController:
    """A controller of SealedSecrets put together, not yet running."""
    store = open_key_store(
        settings.keys,
        cluster,
        settings.sealing.namespace,
        vault,
        prefix=settings.key_prefix,
        labels=settings.key_labels,
        annotations=settings.key_annotations,
    )
    return SealingController(
        cluster,
        SystemClock(),
        store,
        settings.sealing,
        make_key=lambda bits: rsa.generate_private_key(public_exponent=65537, key_size=bits),
        dice=os.urandom,
        render=render_template,
        tell=tell or (lambda *told: None),
    )


def render_template(item: str, template: str, values: Mapping[str, str]) -> str:
    """Templates are seldom: their engine is loaded when the first one comes."""
    from kilde.core.secrets import templates

    return templates.render(item, template, values)


async def run_sealing(
    settings: SealSettings, cluster: KubeCluster, ready: Callable[[], None], stop: asyncio.Event, renew: asyncio.Event
) -> None:
    """`kilde seal controller`: opens until `stop` is set; makes a new key whenever `renew` is. KildeError."""
    if found := await rival(cluster, settings.sealing.namespace):
        hint = "remove it (its keys are taken over), or give another --namespace"
        raise KildeError("the Sealed Secrets controller runs in this namespace", about=found, hint=hint)
    async with contextlib.AsyncExitStack() as stack:
        vault = open_vault(settings.keys.reach) if settings.keys.reach else None
        opens = sealing_controller(settings, cluster, vault)
        app = SealingApp(Endpoint(opens), rate=settings.rate, burst=settings.burst)
        await stack.enter_async_context(serving(app, *settings.listen))
        if settings.metrics_listen is not None:
            await stack.enter_async_context(serving(app, *settings.metrics_listen))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(job) for job in (opens.run(), stopped(stop))]
                extra = [
                    group.create_task(_when_loaded(opens, ready)),
                    group.create_task(opens.keyring.renew_when(renew)),
                ]
                if vault is not None:
                    stack.push_async_callback(vault.close)
                    extra.append(group.create_task(vault.run()))
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in (*tasks, *extra):
                    task.cancel()
        except BaseExceptionGroup as failed:
            raise first_error(failed) from failed


async def _when_loaded(opens: SealingController, ready: Callable[[], None]) -> None:
    await opens.keyring.loaded.wait()
    ready()
