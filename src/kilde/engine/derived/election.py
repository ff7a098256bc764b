"""Election: one controller of a namespace works, the others wait; kept by a Lease, as Kubernetes' own controllers do it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
import structlog

from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.engine.tasks import TaskOwner
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Resource

log = structlog.get_logger()

LEASES = Resource("coordination.k8s.io", "v1", "Lease", "leases", True)
SEALED_SECRETS = "kilde-sealed-secrets"
VAULT_SECRETS = "kilde-vault-secrets"
_RENEW = 3  # times within a lease
_LOOK = 2.0  # seconds between two looks at somebody else's lease


class Election:
    """One candidate for the lease `name`. `seconds`: how long a lease holds after its holder was last heard of."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        namespace: str,
        identity: str,
        *,
        seconds: float,
        name: str = SEALED_SECRETS,
    ) -> None:
        self._cluster, self._clock, self._namespace, self._name = cluster, clock, namespace, name
        self._identity, self._seconds = identity, seconds
        self._seen: tuple[str, float] = ("", 0.0)  # the last lease of somebody else, and when it was first seen so
        self._problem = ""  # told once, not every two seconds
        self.leads = False

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Runs `lead` while this candidate is the leader, and waits while it is not; never ends by itself."""
        told = ""
        while True:
            holder = await self._try()
            if holder == self._identity:
                told = ""
                await self._lead(lead)
                continue
            if holder != told:
                log.info("another controller has the lease; waiting", lease=self._name, holder=holder)
                told = holder
            await self._clock.sleep(min(_LOOK, self._seconds / _RENEW))

    async def _lead(self, lead: Callable[[], Awaitable[None]]) -> None:
        self.leads = True
        log.info("leading", lease=f"{self._namespace}/{self._name}", identity=self._identity)
        try:
            async with TaskOwner() as tasks:
                work = tasks.start(f"{self._name} lead", _forever(lead))
                keep = tasks.start(f"{self._name} lease", self._keep())
                done, _ = await asyncio.wait({work, keep}, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            self.leads = False
            await self._release()

    async def _keep(self) -> None:
        """Renews the lease; returns when it is lost."""
        heard = self._clock.monotonic()
        while True:
            await self._clock.sleep(self._seconds / _RENEW)
            holder = await self._try()
            if holder == self._identity:
                heard = self._clock.monotonic()
            elif holder or self._clock.monotonic() - heard > self._seconds * 2 / _RENEW:
                log.warning("the lease is lost; opening stops", holder=holder)
                return

    async def _try(self) -> str:
        """Takes or renews the lease if it may; gives the holder, "" where the server did not say."""
        try:
            raw = await self._cluster.get(LEASES, self._namespace, self._name)
            if raw is None:
                await self._cluster.create(LEASES, self._lease(None), manager="kilde")
                return self._identity
            lease = msgspec.json.decode(raw)
            holder = str((lease.get("spec") or {}).get("holderIdentity") or "")
            if holder and holder != self._identity and not self._is_over(lease):
                return holder
            await self._cluster.replace(LEASES, self._lease(lease), manager="kilde")
            return self._identity
        except ClusterError as error:
            if error.status not in (0, 409, 429) and error.status < 500 and str(error) != self._problem:
                self._problem = str(error)
                log.warning("the lease cannot be kept", problem=self._problem)
            return ""

    def _is_over(self, lease: Object) -> bool:
        """Whether nobody has renewed it for as long as it holds; by our own clock, as the two need not agree."""
        spec, now = lease["spec"], self._clock.monotonic()
        version = str(lease["metadata"].get("resourceVersion"))
        if self._seen[0] != version:
            self._seen = (version, now)
        return now - self._seen[1] > float(spec.get("leaseDurationSeconds") or self._seconds)

    def _lease(self, before: Object | None, *, holder: str | None = None) -> Object:
        now = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = dict((before or {}).get("spec") or {})
        changes = spec.get("holderIdentity") != self._identity
        spec |= {
            "holderIdentity": self._identity if holder is None else holder,
            "leaseDurationSeconds": max(1, round(self._seconds)),
            "renewTime": now,
        }
        if changes:
            spec |= {
                "acquireTime": now,
                "leaseTransitions": int(spec.get("leaseTransitions") or 0) + (before is not None),
            }
        metadata = before["metadata"] if before else {"name": self._name, "namespace": self._namespace}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}

    async def _release(self) -> None:
        """Lets the next one begin at once."""
        with contextlib.suppress(ClusterError):
            raw = await self._cluster.get(LEASES, self._namespace, self._name)
            lease = msgspec.json.decode(raw) if raw else None
            if lease and (lease.get("spec") or {}).get("holderIdentity") == self._identity:
                await self._cluster.replace(LEASES, self._lease(lease, holder=""), manager="kilde")


async def _forever(lead: Callable[[], Awaitable[None]]) -> None:
    await lead()
