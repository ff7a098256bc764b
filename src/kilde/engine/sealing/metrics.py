"""The counts that the real controller gives, under its names."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from kilde import __version__

_PREFIX = "sealed_secrets_controller"


class SealingMetrics:
    """One registry for one controller."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        info = Gauge(f"{_PREFIX}_build_info", "The version that runs.", ["revision"], registry=self.registry)
        info.labels(revision=__version__).set(1)
        self.requests = Counter(f"{_PREFIX}_unseal_requests", "SealedSecrets looked at.", registry=self.registry)
        self.errors = Counter(
            f"{_PREFIX}_unseal_errors", "Failures, by reason.", ["reason", "namespace"], registry=self.registry
        )
        self._conditions = Gauge(
            f"{_PREFIX}_condition_info",
            "1: the condition is true, -1: it is false.",
            ["namespace", "name", "condition"],
            registry=self.registry,
        )
        self.http = Counter(
            f"{_PREFIX}_http_requests", "Requests answered.", ["path", "code", "method"], registry=self.registry
        )
        self.seconds = Histogram(
            f"{_PREFIX}_http_request_duration_seconds",
            "How long they took.",
            ["path", "method"],
            registry=self.registry,
        )
        for reason in ("fetch", "status", "unmanaged", "unseal", "update"):
            self.errors.labels(reason=reason, namespace="")

    def condition(self, namespace: str, name: str, *, synced: bool) -> None:
        self._conditions.labels(namespace=namespace, name=name, condition="Synced").set(1 if synced else -1)

    def forget(self, namespace: str, name: str) -> None:
        """A SealedSecret that is gone has no condition."""
        self._conditions.remove_by_labels({"namespace": namespace, "name": name})
