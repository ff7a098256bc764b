"""Metrics: what the engine has done, counted where it is done and read when somebody asks."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from kilde.core.apps.quarantine import CONDITION as QUARANTINED
from kilde.core.plan.held import CONDITION as HELD
from kilde.engine.context import Context
from kilde.engine.controller import Controller

_WAITING = (
    ("kilde_deletions_held", "Applications whose deletions are held until somebody approves.", HELD),
    ("kilde_quarantined", "Applications whose newest commit is in quarantine.", QUARANTINED),
)


def conditions_of(status: Mapping[str, Any]) -> set[str]:
    """The types of the conditions in a status."""
    return {str(one.get("type")) for one in status.get("conditions") or () if isinstance(one, dict)}


class EngineMetrics:
    """A prometheus_client collector over a controller."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    def collect(self) -> Iterator[Metric]:
        ctx = self._controller.context
        contexts = [target.context for target in self._controller.targets.all()]
        requests = CounterMetricFamily("kilde_api_requests", "Requests sent to API servers.", labels=["verb"])
        for verb, count in sorted(_together(each.world.cluster.counts() for each in contexts).items()):
            requests.add_metric([verb], count)
        yield requests
        yield from _clusters(contexts)
        yield _counter("kilde_renders", "Renders done (a cached one does not count).", ctx.renderer.renders)
        yield _counter(
            "kilde_comparisons",
            "Objects compared with what Git wants.",
            sum(each.surveyor.comparisons for each in contexts),
        )
        yield _counter(
            "kilde_heals",
            "Foreign writes undone.",
            sum(target.healer.heals for target in self._controller.targets.all()),
        )
        yield _counter("kilde_status_writes", "Writes of an application's status.", ctx.reporter.writes)
        fetches = CounterMetricFamily(
            "kilde_fetches", "Fetches of repositories, by how they ended.", labels=["outcome"]
        )
        for outcome, count in ctx.repositories.fetches().items():
            fetches.add_metric([outcome], count)
        yield fetches
        yield _counter("kilde_fetch_seconds", "Seconds that all fetches took.", ctx.repositories.fetch_seconds)
        yield GaugeMetricFamily(
            "kilde_watches",
            "Kinds and namespaces watched for applications.",
            value=sum(each.live.watches for each in contexts),
        )
        applications = GaugeMetricFamily(
            "kilde_applications", "Applications by sync and health status.", labels=["sync", "health"]
        )
        states: Counter[tuple[str, str]] = Counter()
        for app in ctx.fleet.all():
            sync, health = app.status.get("sync") or {}, app.status.get("health") or {}
            states[str(sync.get("status", "")), str(health.get("status", ""))] += 1
        for (sync_status, health_status), count in sorted(states.items()):
            applications.add_metric([sync_status, health_status], count)
        yield applications
        for name, text, condition in _WAITING:
            waiting = sum(1 for app in ctx.fleet.all() if condition in conditions_of(app.status))
            yield GaugeMetricFamily(name, text, value=waiting)


def _together(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in counts:
        found.update(each)
    return found


def _clusters(contexts: Iterable[Context]) -> Iterator[Metric]:
    """Of each cluster that is open: whether it answers, what it was asked, and what is watched there."""
    labels = ["server", "name"]
    up = GaugeMetricFamily("kilde_cluster_up", "1: the cluster answers; 0: it does not.", labels=labels)
    asked = CounterMetricFamily("kilde_cluster_requests", "Requests sent to one cluster.", labels=labels)
    watched = GaugeMetricFamily("kilde_cluster_watches", "Kinds and namespaces watched in one cluster.", labels=labels)
    for ctx in contexts:
        which = [ctx.of.server, ctx.of.name]
        up.add_metric(which, 0 if ctx.problem else 1)
        asked.add_metric(which, sum(ctx.world.cluster.counts().values()))
        watched.add_metric(which, ctx.live.watches)
    yield from (up, asked, watched)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)
