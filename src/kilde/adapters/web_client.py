"""The Web port over aiohttp: one session, bounded answers, no redirect to another host."""

import asyncio
import ssl
from urllib.parse import urljoin, urlsplit

import aiohttp
import structlog

from kilde.core.sets.failures import GeneratorFailed
from kilde.core.sets.forges.forge import bare
from kilde.ports.aws import Aws, AwsError
from kilde.ports.web import Answer, Request

log = structlog.get_logger()

LARGEST = 16 << 20  # bytes of an answer
_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


class WebClient:
    """Keeps the promises of ports.web. The session is made when it is first needed."""

    def __init__(self, aws: Aws, *, user_agent: str = "kilde") -> None:
        self._aws, self._user_agent = aws, user_agent
        self._session: aiohttp.ClientSession | None = None

    async def request(self, request: Request) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers={"User-Agent": self._user_agent}, trust_env=True)
        if request.aws is not None:
            try:
                request = await self._aws.signed(request)
            except AwsError as error:
                raise GeneratorFailed(error.what, about=error.about, hint=error.hint) from None
        url = request.url
        try:
            async with asyncio.timeout(request.timeout):
                for _ in range(_MOST_REDIRECTS):
                    answer = await self._once(self._session, request, url)
                    location = answer.headers.get("location", "")
                    if answer.status not in _REDIRECTS or not location or request.method != "GET":
                        return answer
                    following = urljoin(url, location)
                    if urlsplit(following)[:2] != urlsplit(url)[:2]:
                        return answer  # its token is for this host alone
                    url = following
        except TimeoutError:
            raise GeneratorFailed(f"no answer within {request.timeout:g} s", about=bare(request.url)) from None
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
            raise GeneratorFailed(_words(error), about=bare(request.url)) from None
        raise GeneratorFailed(f"more than {_MOST_REDIRECTS} redirects", about=bare(request.url))

    async def _once(self, session: aiohttp.ClientSession, request: Request, url: str) -> Answer:
        async with session.request(
            request.method,
            url,
            headers=dict(request.headers),
            data=request.body or None,
            ssl=_trust(request),
            proxy=request.proxy or None,
            allow_redirects=False,
        ) as response:
            parts, size = [], 0
            async for part in response.content.iter_chunked(1 << 16):
                size += len(part)
                if size > LARGEST:
                    raise GeneratorFailed(f"the answer has more than {LARGEST} bytes", about=bare(url))
                parts.append(part)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(status=response.status, headers=headers, body=b"".join(parts))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _trust(request: Request) -> ssl.SSLContext | bool:
    if request.insecure:
        return False
    if not request.authority and not request.authority_file:
        return True
    context = ssl.create_default_context()
    if request.authority:
        context.load_verify_locations(cadata=request.authority)
    if request.authority_file:
        try:
            context.load_verify_locations(cafile=request.authority_file)
        except (OSError, ssl.SSLError) as error:
            log.warning("certificates cannot be read", file=request.authority_file, error=type(error).__name__)
    return context


def _words(error: Exception) -> str:
    """What went wrong, without the request's address as the library repeats it."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.strerror:
        return f"cannot be reached: {error.os_error.strerror}"
    return f"cannot be asked: {type(error).__name__}"
