"""Prometheus metrics of the API server, under the names a kube-apiserver uses."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from kilde.kubeapi.storage.store import Store

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Counts requests, watches and objects. A registry of its own: two servers in a process do not meet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.registry = CollectorRegistry()
        labels = ("verb", "code")
        self._requests = Counter("apiserver_request_total", "Requests answered.", labels, registry=self.registry)
        name, what = "apiserver_request_duration_seconds", "Time to the first byte of an answer."
        self._duration = Histogram(name, what, ("verb",), registry=self.registry, buckets=_BUCKETS)
        self.watches = Gauge("apiserver_longrunning_requests", "Open watches.", registry=self.registry)
        self._objects = Gauge("apiserver_storage_objects", "Objects kept.", ("resource",), registry=self.registry)

    def reset(self) -> None:
        """Begins to count anew."""
        self._requests.clear()
        self._duration.clear()

    def answered(self, verb: str, code: int, seconds: float) -> None:
        """Counts an answer whose first byte is on its way."""
        self._requests.labels(verb, str(code)).inc()
        self._duration.labels(verb).observe(seconds)

    def text(self) -> bytes:
        """The metrics in Prometheus' text form."""
        for resource in self._store.resources():
            self._objects.labels(resource).set(self._store.count(resource))
        return generate_latest(self.registry)
