"""LocalServices: Services of this cluster that a listener on this machine answers; whoever runs one registers it."""


class LocalServices:
    """Where each is: the address that the proxy of the API server goes to instead of a pod's."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, str], tuple[str, int]] = {}

    def register(self, namespace: str, name: str, host: str, port: int) -> None:
        """From now on, requests through the Service's proxy go there."""
        self._at[namespace, name] = (host, port)

    def find(self, namespace: str, name: str) -> tuple[str, int] | None:
        return self._at.get((namespace, name))
