"""/metrics: in the text format of Prometheus, or OpenMetrics for who asks for that."""

from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kilde.web.api import WebApi


def routes(api: WebApi) -> list[Route]:
    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(api.registry), headers={"content-type": content_type})

    return [Route("/metrics", metrics)]
