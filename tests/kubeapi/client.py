"""A client of the API server under test: requests and watches over HTTP, as any client makes them."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import yaml

from kilde.kubeapi.main import serve
from kilde.kubeapi.settings import Settings

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"


@dataclass(frozen=True)
class Client:
    """One administrator's connection."""

    session: aiohttp.ClientSession
    url: str

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """(status, the JSON answer or the text). Header names are written with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else body if isinstance(body, (bytes, io.IOBase)) else json.dumps(body).encode()
        async with self.session.request(
            method, self.url + path, data=data, headers={"Content-Type": "application/json", **sent}
        ) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if answer.content_type == "application/json" else text

    @asynccontextmanager
    async def watch(self, path: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The events of a watch."""
        async with self.session.get(self.url + path) as answer:
            assert answer.status == 200, await answer.text()

            async def events() -> AsyncIterator[dict[str, Any]]:
                async for line in answer.content:
                    yield json.loads(line)

            yield events()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Client]:
    """A server over plain HTTP, and its administrator."""
    assert settings.kubeconfig is not None
    async with serve(settings) as url:
        token = yaml.safe_load(settings.kubeconfig.read_text())["users"][0]["user"]["token"]
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
            yield Client(session, url)


def config_map(name: str, value: str = "1", **labels: str) -> dict[str, Any]:
    """A ConfigMap to send."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": {"a": value}}
