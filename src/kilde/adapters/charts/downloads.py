"""WebDownloads: files of the web, bounded as charts are."""

from kilde.adapters.charts.limits import ChartLimits
from kilde.adapters.charts.web import Ask, Fetcher
from kilde.core.basics.errors import SourceUnavailable
from kilde.core.source.credentials import Credentials
from kilde.core.source.repository_url import redact


class WebDownloads:
    """Keeps the promises of ports.downloads."""

    def __init__(self, limits: ChartLimits | None = None) -> None:
        self._limits = limits or ChartLimits()
        self._fetcher = Fetcher(self._limits)

    async def get(self, url: str) -> bytes:
        ask = Ask(url=url, credentials=Credentials(), most=self._limits.download_bytes)
        response = await self._fetcher.get(ask)
        if response.status != 200:
            raise SourceUnavailable(f"the server answers {response.status}", about=redact(url.partition("?")[0]))
        return response.body

    async def close(self) -> None:
        await self._fetcher.close()
