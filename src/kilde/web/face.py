"""Face: the engine as the HTTP interface sees it. Keeps the promises of web.api.WebApi."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

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
        self.registry = CollectorRegistry()
        self.registry.register(EngineMetrics(controller))
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def not_ready(self) -> str:
        return "" if self._controller.ready.is_set() else "the applications have not been listed yet"

    async def on_push(self, headers: Mapping[str, str], body: bytes) -> PushOutcome:
        """Checks, reads and follows a webhook; what it says is only a reason to fetch."""
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
