"""Requests about the server itself: discovery, OpenAPI, version, health and metrics."""

import platform
from email.utils import formatdate

import msgspec

from kilde.kubeapi.access import tokens
from kilde.kubeapi.logic import failures, negotiate, options
from kilde.kubeapi.resources.discovery import V2, V2_BETA1, Discovery, Document
from kilde.kubeapi.resources.kinds import GROUP_ORDER
from kilde.kubeapi.resources.openapi import OpenApi
from kilde.kubeapi.serving.http import NOT_FOUND, Request, Response, answer, text, written
from kilde.kubeapi.serving.metrics import Metrics
from kilde.kubeapi.world import World

_CHECKS = ("ping", "log", "etcd", "poststarthook/start-apiextensions-controllers", "poststarthook/bootstrap-controller")
_KEYS = "application/jwk-set+json"
_ISSUER = ("/.well-known/openid-configuration", "/openid/v1/jwks")
_HEALTH = ("/healthz", "/livez", "/readyz")
_INDEX = ("/", "/index.html")
_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
# Of the last, clients write an @ before the version, servers a dot.
_V2_OFFERS = dict.fromkeys(("*/*", "application/*", negotiate.JSON), negotiate.JSON) | {
    _V2_PROTOBUF: _V2_PROTOBUF,
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf": _V2_PROTOBUF,
}

# What Go calls a processor.
_AS_GO = {"x86_64": "amd64", "aarch64": "arm64"}


class About:
    """Answers what is not about objects."""

    def __init__(self, world: World, metrics: Metrics, address: str) -> None:
        self._world, self._metrics, self._address = world, metrics, address
        self._discovery = Discovery(world.kinds.catalog)
        self._described = world.kinds
        self._openapi = OpenApi(world.kinds.catalog, world.kinds.schemas, world.release)

    def serve(self, request: Request) -> Response:
        """The answer; a plain 404 for a path that is not known.

        As on a real server most of it answers whatever the method is; what is a web service there takes GET alone.
        """
        path = request.path.rstrip("/") or "/"
        head = path.split("/")[1]
        if head in ("healthz", "livez", "readyz"):
            return self._health(request, request.path)
        if head in ("api", "apis"):
            return self._discover(request, path)
        if head == "openapi":
            return self._describe(request, request.path)
        if path == "/version" or path in _ISSUER:
            if request.method != "GET":
                raise failures.method_not_allowed()
            if path in _ISSUER:
                return self._issuer(request, path)
            negotiate.check_offer(request.headers.get("accept", ""), negotiate.JSON)
            return answer(200, version_info(self._world.release.version))
        if request.path == "/metrics":
            if request.method == "DELETE":
                self._metrics.reset()
                return text(200, "metrics reset\n")
            return Response(200, self._metrics.text(), "text/plain; version=0.0.4; charset=utf-8")
        return answer(200, {"paths": self._paths()}) if request.path in _INDEX else text(404, NOT_FOUND)

    def _paths(self) -> list[str]:
        """What is served beside objects."""
        checks = (f"{path}/{name}" for path in _HEALTH for name in _CHECKS)
        openapi = ("/metrics", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/version")
        return sorted({"/api", "/api/v1", "/apis", *self.discovery.paths, *_HEALTH, *checks, *_ISSUER, *openapi})

    @property
    def discovery(self) -> Discovery:
        """The discovery documents of the kinds that are served now."""
        if self._discovery.catalog is not self._world.kinds.catalog:
            self._discovery = Discovery(self._world.kinds.catalog)
        return self._discovery

    @property
    def openapi(self) -> OpenApi:
        """The OpenAPI v3 documents of the kinds that are served now."""
        if self._described is not self._world.kinds:
            self._described = self._world.kinds
            self._openapi = OpenApi(self._described.catalog, self._described.schemas, self._world.release)
        return self._openapi

    def _describe(self, request: Request, path: str) -> Response:
        """`/openapi/v3` and below. A document asked for by its hash never changes, and is so marked."""
        if path == "/openapi/v2":
            return self._describe_old(request)
        if path != "/openapi/v3" and not path.startswith("/openapi/v3/"):
            return text(404, NOT_FOUND)
        name = path.removeprefix("/openapi/v3")
        document = self.openapi.document(name.removeprefix("/")) if name else self.openapi.index
        if document is None:
            return Response(404, b"", "")
        headers = [(b"etag", document.etag.encode()), (b"vary", b"Accept")]
        wanted = options.first(request.query, "hash")
        current = document.etag.strip('"')
        if wanted and wanted != current:
            where = f"/openapi/v3/{name}?hash={current}"
            return Response(301, b"", "", [(b"location", where.encode())])
        if not wanted:
            headers.append((b"cache-control", b"no-cache, private"))
        else:
            headers += [(b"cache-control", b"public, immutable"), (b"expires", _next_year(self._world.time()))]
        if request.headers.get("if-none-match") == document.etag:
            return Response(304, b"", "", headers)
        return Response(200, document.body, document.content_type, headers)

    def _describe_old(self, request: Request) -> Response:
        """`/openapi/v2`, in JSON or in gnostic's protobuf."""
        accept = request.headers.get("accept", "") or "*/*"
        wanted = next((media for media, _ in negotiate.accepted(accept) if media in _V2_OFFERS), "")
        if not wanted:
            return Response(406, b"", "", [(b"vary", b"Accept")])
        document = self.openapi.v2
        headers = [(b"etag", document.etag.encode()), (b"vary", b"Accept"), (b"cache-control", b"no-cache, private")]
        if request.headers.get("if-none-match") == document.etag:
            return Response(304, b"", "", headers)
        binary = _V2_OFFERS[wanted] == _V2_PROTOBUF
        return Response(200, self.openapi.v2_in_protobuf if binary else document.body, _V2_OFFERS[wanted], headers)

    def _issuer(self, request: Request, path: str) -> Response:
        """Who issues tokens of ServiceAccounts, and the key that proves it."""
        cached = [(b"cache-control", b"public, max-age=3600")]
        if path != _ISSUER[0]:
            negotiate.check_offer(request.headers.get("accept", ""), _KEYS)
            return Response(200, msgspec.json.encode(self._world.tokens.key_set()), _KEYS, cached)
        found = {
            "issuer": tokens.ISSUER,
            "jwks_uri": f"https://{self._address}{_ISSUER[1]}",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }
        return Response(200, msgspec.json.encode(found), "application/json", cached)

    def _health(self, request: Request, path: str) -> Response:
        parts = path.strip("/").split("/")
        if path.endswith("/") or (len(parts) > 1 and "/".join(parts[1:]) not in _CHECKS):
            return text(404, NOT_FOUND)
        if len(parts) > 1:
            return Response(200, b"ok", "text/plain; charset=utf-8")
        if "verbose" not in request.query:
            return text(200, "ok")
        excluded = set(request.query.get("exclude", ()))
        lines = [f"[+]{name} excluded: ok" if name in excluded else f"[+]{name} ok" for name in _CHECKS]
        return text(200, "\n".join([*lines, f"{parts[0]} check passed", ""]))

    def _discover(self, request: Request, path: str) -> Response:
        document = self._document(request, path)
        head, group = (*path.strip("/").split("/"), "")[:2]
        if document is None:
            if head == "api" or (group in GROUP_ORDER and self.discovery.group(group) is not None):
                raise failures.no_such_resource()  # of a built-in group; those of CRDs are told as any other path
            return text(404, NOT_FOUND)
        is_index = path.startswith("/apis") and path.count("/") < 3  # which an aggregator serves there
        if request.method != "GET" and not is_index:
            raise failures.method_not_allowed()
        form = negotiate.PLAIN
        if document.content_type == negotiate.JSON:  # what is aggregated has been asked for in its one form
            if not is_index and (head == "api" or group in GROUP_ORDER):
                negotiate.check_route(request.headers, patch=False, many=False)
            form = negotiate.document_form(request.headers.get("accept", ""))
        headers = [(b"etag", document.etag.encode()), (b"vary", b"Accept"), (b"cache-control", b"public")]
        if request.headers.get("if-none-match") == document.etag:
            return Response(304, b"", "", headers)
        if form == negotiate.PLAIN:
            return Response(200, document.body, document.content_type, headers)
        return Response(200, written(msgspec.json.decode(document.body), form), form.content_type, headers)

    def _document(self, request: Request, path: str) -> Document | None:
        parts = path.strip("/").split("/")
        discovery = self.discovery
        if len(parts) == 1:
            wanted = aggregated_form(request.headers.get("accept", ""))
            if wanted:
                return discovery.aggregated(wanted, core=parts[0] == "api")
            return discovery.api_versions(self._address) if parts[0] == "api" else discovery.groups
        if parts[0] == "api":
            return discovery.resources("", parts[1]) if len(parts) == 2 else None
        if len(parts) == 2:
            return discovery.group(parts[1])
        return discovery.resources(parts[1], parts[2]) if len(parts) == 3 else None


def _next_year(now: float) -> bytes:
    return formatdate(now + 365 * 86400, usegmt=True).encode()


def aggregated_form(accept: str) -> str:
    """V2 or V2_BETA1 if the client asks for aggregated discovery before plain JSON, else ""."""
    for media, parameters in negotiate.accepted(accept):
        if parameters.get("as") == "APIGroupDiscoveryList" and parameters.get("g") == "apidiscovery.k8s.io":
            version = {"v2": V2, "v2beta1": V2_BETA1}.get(parameters.get("v", ""))
            if version and media == negotiate.JSON:
                return version
        elif not parameters and media in (negotiate.JSON, "*/*", "application/*"):
            return ""
    return ""


def version_info(version: str) -> dict[str, str]:
    """What /version says: the Kubernetes version whose behaviour this server keeps."""
    major, minor, _ = version.removeprefix("v").split(".")
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": version,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"{platform.system().lower()}/{_AS_GO.get(platform.machine(), platform.machine())}",
    }
