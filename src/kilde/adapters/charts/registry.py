"""Registry: one repository of an OCI registry (distribution-spec): tags, manifest, blob by digest; token or basic authentication."""

import hashlib
import re
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec

from kilde.adapters.charts.limits import ChartLimits
from kilde.adapters.charts.web import Ask, Fetcher, Response, basic
from kilde.core.basics.errors import RevisionNotFound, SourceError, SourceUnavailable
from kilde.core.source.chart_place import ChartPlace
from kilde.core.source.credentials import Credentials
from kilde.core.source.repository_url import redact

CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_OLD_CHART_LAYER = "application/tar+gzip"
# what Argo CD takes of an artifact that is no chart
LAYERS = (
    CHART_LAYER,
    _OLD_CHART_LAYER,
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
)
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_MANIFESTS = f"{_MANIFEST}, application/vnd.docker.distribution.manifest.v2+json"
_LISTS = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
_ANY_MANIFEST = f"{_MANIFESTS}, {_LISTS}"
_JSON_BYTES = 4 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_PARAMETER = re.compile(r'(?<![a-zA-Z_])([a-zA-Z_]++)="((?:[^"\\]|\\.)*+)"')
_NEXT = re.compile(r'<([^<>]+)>\s*;\s*rel="?next"?')


class Registry:
    """One repository, for a few requests: its token is kept as long as this object."""

    def __init__(self, fetcher: Fetcher, place: ChartPlace, credentials: Credentials, limits: ChartLimits) -> None:
        self._fetcher, self._credentials, self._limits = fetcher, credentials, limits
        scheme = "http" if credentials.plain_http else "https"
        self._base, self._name, self._about = f"{scheme}://{place.host}", place.image, redact(str(place))
        self._authorization = ""

    async def tags(self) -> tuple[str, ...]:
        """All of them, `_` as the `+` that it stands for. SourceError."""
        found: list[str] = []
        url = f"{self._base}/v2/{self._name}/tags/list?n=1000"
        while url:
            response = await self._ask(url, "application/json", _JSON_BYTES)
            if response.status != 200:
                raise self._refused(response, "tags")
            names = self._json(response.body).get("tags") or []
            found += [str(name).replace("_", "+") for name in names if isinstance(name, str)]
            following = _NEXT.search(response.headers.get("link", ""))
            url = urljoin(url, following[1]) if following and names and len(found) < self._limits.tags else ""
            if url and urlsplit(url)[:2] != urlsplit(self._base)[:2]:
                raise SourceUnavailable("its list of tags goes on at another host", about=self._about)
        return tuple(dict.fromkeys(found))

    async def manifest(self, reference: str) -> tuple[str, dict[str, Any]]:
        """Digest and content of what a tag (with `+`) or a digest names. Raises RevisionNotFound, SourceError."""
        wanted = reference if _DIGEST.match(reference) else reference.replace("+", "_")
        response = await self._ask(f"{self._base}/v2/{self._name}/manifests/{wanted}", _MANIFESTS, _JSON_BYTES)
        if response.status == 404:
            raise RevisionNotFound(f"there is no version '{reference}'", about=self._about)
        if response.status != 200:
            raise self._refused(response, f"manifest {reference}")
        digest = "sha256:" + hashlib.sha256(response.body).hexdigest()
        if _DIGEST.match(reference) and digest != reference:
            raise SourceError("its manifest is not what its digest says", about=self._about)
        return digest, self._json(response.body)

    async def has(self, reference: str) -> bool:
        """Whether there is a manifest, or an index of manifests, of a tag or digest. SourceError."""
        response = await self._ask(f"{self._base}/v2/{self._name}/manifests/{reference}", _ANY_MANIFEST, 0, head=True)
        if response.status not in (200, 404):
            raise self._refused(response, f"manifest {reference}")
        return response.status == 200

    async def layer(self, manifest: dict[str, Any], *, chart: bool) -> tuple[str, str]:
        """Media type and digest of the one layer that has the files. Raises SourceError."""
        wanted = (CHART_LAYER, _OLD_CHART_LAYER) if chart else LAYERS
        layers = [one for one in manifest.get("layers") or () if isinstance(one, dict)]
        found = [one for one in layers if one.get("mediaType") in wanted]
        if not chart and len(layers) != 1:
            raise SourceError(f"an artifact has one layer, not {len(layers)}", about=self._about)
        if not found or not _DIGEST.match(str(found[0].get("digest"))):
            kinds = ", ".join(sorted({str(one.get("mediaType")) for one in layers})) or "none"
            raise SourceError(
                f"has no {'chart' if chart else 'layer of files'} among its layers ({kinds})", about=self._about
            )
        return str(found[0]["mediaType"]), str(found[0]["digest"])

    async def blob(self, digest: str) -> bytes:
        """Its content, which is what the digest says. SourceError, LimitExceeded."""
        response = await self._ask(f"{self._base}/v2/{self._name}/blobs/{digest}", "*/*", self._limits.package_bytes)
        if response.status != 200:
            raise self._refused(response, "blob")
        if "sha256:" + hashlib.sha256(response.body).hexdigest() != digest:
            raise SourceError("what came is not what its digest says", about=self._about)
        return response.body

    async def _ask(self, url: str, accept: str, most: int, *, head: bool = False) -> Response:
        response = await self._get(url, accept, most, head=head)
        if response.status != 401:
            return response
        challenge = response.headers.get("www-authenticate", "")
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "bearer":
            self._authorization = await self._token(dict(_PARAMETER.findall(rest)))
        elif scheme.lower() == "basic" and basic(self._credentials):
            self._authorization = basic(self._credentials)
        else:
            return response
        return await self._get(url, accept, most, head=head)

    async def _get(self, url: str, accept: str, most: int, *, head: bool) -> Response:
        return await self._fetcher.get(
            Ask(
                url=url,
                credentials=self._credentials,
                most=most,
                headers={"Accept": accept},
                authorization=self._authorization,
                head=head,
            )
        )

    async def _token(self, asked: dict[str, str]) -> str:
        """What the registry's token server gives for our credentials (distribution's token authentication)."""
        realm = asked.get("realm", "")
        if not realm.startswith("https://") and not (realm.startswith("http://") and self._credentials.plain_http):
            raise SourceUnavailable("its token server is not at an https address", about=self._about)
        query = {"service": asked.get("service", ""), "scope": asked.get("scope") or f"repository:{self._name}:pull"}
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode({k: v for k, v in query.items() if v})}"
        response = await self._fetcher.get(
            Ask(url=url, credentials=self._credentials, most=_JSON_BYTES, authorization=basic(self._credentials))
        )
        if response.status != 200:
            raise self._refused(response, "token")
        answer = self._json(response.body)
        token = answer.get("token") or answer.get("access_token")
        if not isinstance(token, str) or not token.isascii() or any(c in token for c in "\r\n"):
            raise SourceUnavailable("its token server gives no token", about=self._about)
        return f"Bearer {token}"

    def _json(self, body: bytes) -> dict[str, Any]:
        try:
            found = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise SourceUnavailable("the registry's answer is no JSON object", about=self._about)
        return found

    def _refused(self, response: Response, what: str) -> SourceUnavailable:
        hint = "are its credentials right?" if response.status in (401, 403) else ""
        return SourceUnavailable(f"{what}: the registry answers {response.status}", about=self._about, hint=hint)
