"""Remote: a small synchronous client of an embedded cluster, for the command line and for tests in other programs."""

import base64
import http.client
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.yaml_reader import read_documents

_PATIENCE = 60.0


class Remote:
    """One administrator's connection, made from the kubeconfig that the cluster wrote. Not for several threads at once."""

    def __init__(self, kubeconfig: Path) -> None:
        """Raises ClusterError if the file cannot be read."""
        try:
            config = read_documents(kubeconfig.read_bytes(), file=str(kubeconfig))[0].value
            cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
            self.server: str = cluster["server"]
            ca = base64.b64decode(cluster.get("certificate-authority-data", "")).decode()
            self._token: str = user["token"]
        except (OSError, LookupError, TypeError, ValueError) as error:
            raise ClusterError(f"is no kubeconfig of an embedded cluster: {error}", about=str(kubeconfig)) from error
        self._tls = ssl.create_default_context(cadata=ca) if ca else None
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Any = None, *, content_type: str = "application/json") -> bytes:
        """The answer's body. ClusterError with the server's words for a refusal, or when it cannot be reached."""
        sent = None if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if sent is not None:
            headers["Content-Type"] = content_type
        for attempt in (1, 2):
            connection = self._connected()
            try:
                connection.request(method, path, sent, headers)
                answer = connection.getresponse()
                data = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if attempt == 1 and isinstance(error, (http.client.RemoteDisconnected, ConnectionResetError)):
                    continue  # the connection had been idle for too long
                raise ClusterError(f"cannot be reached: {error}", about=self.server) from error
            if answer.status >= 400:
                raise _refusal(answer.status, data, path)
            return data
        raise AssertionError  # pragma: no cover - the loop answers or raises

    def object(self, method: str, path: str, body: Any = None, *, content_type: str = "application/json") -> Object:
        """The same as an object."""
        found: Object = msgspec.json.decode(self.ask(method, path, body, content_type=content_type))
        return found

    def advance(self, seconds: float) -> None:
        """Moves the cluster's time, and lets everything happen that is due within it."""
        end = self.object("GET", "/kilde/clock")["seconds"] + seconds
        while (left := end - self.object("GET", "/kilde/clock")["seconds"]) > 1e-6:
            self.object("POST", "/kilde/clock", {"advance": left})

    def snapshot(self) -> bytes:
        """All objects, as `kilde cluster snapshot` writes them."""
        return self.ask("GET", "/kilde/snapshot")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            place = urlsplit(self.server)
            host, port = place.hostname or "", place.port
            if self._tls is not None:
                self._connection = http.client.HTTPSConnection(host, port, timeout=_PATIENCE, context=self._tls)
            else:
                self._connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
        return self._connection


def _refusal(status: int, data: bytes, path: str) -> ClusterError:
    try:
        told = msgspec.json.decode(data)
        message, reason = str(told.get("message") or ""), str(told.get("reason") or "")
    except (msgspec.DecodeError, AttributeError):
        message, reason = data[:256].decode(errors="replace").strip(), ""
    return ClusterError(message or f"answered {status}", about=path, status=status, reason=reason)
