"""Face: the engine as the HTTP interface sees it. Keeps the promises of web.api.WebApi."""

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from kilde.core.basics.errors import InvalidInput
from kilde.core.source.webhook import is_pull_request, read_webhook
from kilde.core.source.webhook_signature import SignatureMismatch, webhook_secrets
from kilde.engine.controller import Controller
from kilde.engine.metrics import EngineMetrics
from kilde.web.api import PushOutcome, PushVerdict


class Face:
    """One controller."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._deliveries: Counter[str] = Counter({str(verdict): 0 for verdict in PushVerdict})
        self._last_delivery = 0.0
        self.registry = CollectorRegistry()
        self.registry.register(EngineMetrics(controller))
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def not_ready(self) -> str:
        return "" if self._controller.ready.is_set() else "the applications have not been listed yet"

    def collect(self) -> Iterator[Metric]:
        """What came over /api/webhook, for /metrics."""
        counts = CounterMetricFamily(
            "kilde_webhook_deliveries", "Webhooks that came, by what became of them.", labels=["verdict"]
        )
        for verdict, count in sorted(self._deliveries.items()):
            counts.add_metric([verdict], count)
        yield counts
        text = "When the last webhook came (seconds since the epoch; 0: none)."
        yield GaugeMetricFamily("kilde_webhook_last_delivery_timestamp_seconds", text, value=self._last_delivery)

    async def on_push(self, headers: Mapping[str, str], body: bytes) -> PushOutcome:
        """Checks, reads and follows a webhook; what it says is only a reason to fetch."""
        outcome = await self._pushed(headers, body)
        self._deliveries[str(outcome.verdict)] += 1
        self._last_delivery = self._controller.context.world.clock.now()
        return outcome

    async def _pushed(self, headers: Mapping[str, str], body: bytes) -> PushOutcome:
        ctx = self._controller.context
        secrets = webhook_secrets(await ctx.config.argocd_secret())
        try:
            delivery = read_webhook(headers, body, secrets)
        except SignatureMismatch as error:
            return PushOutcome(PushVerdict.REFUSED, str(error))
        except InvalidInput as error:
            return PushOutcome(PushVerdict.NOT_UNDERSTOOD, str(error))
        names: list[str] = []
        urls: set[str] = set()
        for app in ctx.fleet.all():
            moved = {
                source.url
                for source in app.sources
                if any(p.concerns(source.repo_url) and p.moves(source.target_revision) for p in delivery.pushes)
            }
            if moved:
                names.append(app.name)
                urls |= moved
        sets, of_sets = self._controller.sets.following(delivery.pushes)
        if not delivery.pushes and is_pull_request(delivery.event):
            sets = self._controller.sets.pull_request_told(delivery.sender)
        if not names and not sets:
            return PushOutcome(PushVerdict.IGNORED, "no application follows that")
        urls |= of_sets
        await self._controller.push(frozenset(urls))
        return PushOutcome(PushVerdict.ACCEPTED, "", (*names, *(f"applicationset/{name}" for name in sets)))
