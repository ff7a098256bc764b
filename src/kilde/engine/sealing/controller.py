"""The sealing controller: keys, election and what is followed; brings each Secret in step with what is sealed."""

import structlog

from kilde.core.secrets.opening import Render
from kilde.engine.derived.election import Election
from kilde.engine.derived.following import Following
from kilde.engine.derived.secret_writer import Tell
from kilde.engine.sealing.keyring import Dice, Keyring, MakeKey
from kilde.engine.sealing.metrics import SealingMetrics
from kilde.engine.sealing.opener import SEALED_SECRETS, Opener
from kilde.engine.sealing.rival import rival
from kilde.engine.sealing.settings import SealingSettings
from kilde.engine.tasks import TaskOwner
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster
from kilde.ports.keys import KeyStore

log = structlog.get_logger()

_RIVAL_PAUSE = 30.0


class SealingController:
    """Opens what its keys open. `run` lasts until it is cancelled; `ready` is set once every SealedSecret was listed."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        store: KeyStore,
        settings: SealingSettings,
        *,
        make_key: MakeKey,
        dice: Dice,
        render: Render,
        tell: Tell,
    ) -> None:
        self._cluster, self._clock, self.settings = cluster, clock, settings
        self.metrics = SealingMetrics()
        self.render = render
        self.opener = Opener(
            cluster,
            clock,
            settings,
            keys=lambda: self.keyring.private,
            render=render,
            metrics=self.metrics,
            salt=dice(32),
            tell=tell,
        )
        self._following = Following(
            cluster,
            clock,
            SEALED_SECRETS,
            self.opener,
            namespaces=settings.namespaces,
            label_selector=settings.label_selector,
            parallel=settings.parallel,
        )
        retry = self._following.retry_failed
        self.keyring = Keyring(store, clock, settings, make_key=make_key, dice=dice, on_change=retry)
        self.election = Election(cluster, clock, settings.namespace, settings.identity, seconds=settings.lease)
        self.ready = self._following.ready

    async def run(self) -> None:
        """Reads the keys, and opens while this controller leads."""
        async with TaskOwner() as tasks:
            tasks.start("sealing-keys", self.keyring.follow())
            tasks.start("sealing-election", self.election.run(self._lead))
            await tasks.failed.wait()
            assert tasks.fault is not None
            raise tasks.fault

    async def _lead(self) -> None:
        await self._alone()
        async with TaskOwner() as tasks:
            tasks.start("sealing-renewal", self.keyring.renew())
            await self.keyring.loaded.wait()
            tasks.start("sealing-following", self._following.run())
            await tasks.failed.wait()
            assert tasks.fault is not None
            raise tasks.fault

    async def _alone(self) -> None:
        """Waits while the real controller is there: two would undo each other's work."""
        told = ""
        while found := await rival(self._cluster, self.settings.namespace):
            if found != told:
                log.error(
                    "the Sealed Secrets controller runs in this namespace; ours does nothing beside it",
                    found=found,
                    hint="remove it (its keys are taken over), or run ours in another namespace",
                )
                told = found
            await self._clock.sleep(_RIVAL_PAUSE)
