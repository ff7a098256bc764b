"""A small S3-compatible object store with object lock: it refuses what is not signed, not whole, or would replace what is locked."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from contracts.beside import answering

ACCESS, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
PAGE = 2  # keys in one answer, so that a client must ask for the next


class ObjectStore:
    """One bucket. `objects` by key: body and until when it is locked."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str]] = {}

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self._signed(request, body):
            return web.Response(status=403, text="<Error><Code>SignatureDoesNotMatch</Code></Error>")
        key = request.path.removeprefix("/audit").lstrip("/")
        if request.method == "GET" and not key:
            return self._listing(request)
        if request.method == "GET" and key in self.objects:
            return web.Response(body=self.objects[key][0])
        if request.method == "PUT":
            return self._put(request, key, body)
        return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")

    def _put(self, request: web.Request, key: str, body: bytes) -> web.Response:
        digest = base64.b64encode(hashlib.md5(body).digest()).decode()
        locked = request.headers.get("x-amz-object-lock-retain-until-date", "")
        if (
            request.headers.get("Content-MD5") != digest
            or request.headers.get("x-amz-object-lock-mode") != "COMPLIANCE"
        ):
            return web.Response(status=400, text="<Error><Code>InvalidRequest</Code></Error>")
        if key in self.objects:
            return web.Response(status=412, text="<Error><Code>PreconditionFailed</Code></Error>")
        self.objects[key] = (body, locked)
        return web.Response()

    def _listing(self, request: web.Request) -> web.Response:
        keys = sorted(key for key in self.objects if key.startswith(request.query.get("prefix", "")))
        begin = int(request.query.get("continuation-token", "0"))
        text = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys[begin : begin + PAGE])
        if begin + PAGE < len(keys):
            text += f"<NextContinuationToken>{begin + PAGE}</NextContinuationToken>"
        return web.Response(text=f"<ListBucketResult>{text}</ListBucketResult>")

    def _signed(self, request: web.Request, body: bytes) -> bool:
        """Works the signature out from the request as it came."""
        parts = dict(
            part.split("=", 1)
            for part in request.headers.get("Authorization", " ").split(" ", 1)[1].split(", ")
            if "=" in part
        )
        if not parts.get("Credential", "").startswith(f"{ACCESS}/"):
            return False
        scope = parts["Credential"].split("/", 1)[1]
        names = parts["SignedHeaders"].split(";")
        if "host" not in names or "x-amz-date" not in names:
            return False
        path, _, query = request.raw_path.partition("?")
        query = "&".join(sorted(query.split("&"))) if query else ""
        lines = [request.method, path, query, *(f"{n}:{request.headers[n]}" for n in names), ""]
        lines += [";".join(names), hashlib.sha256(body).hexdigest()]
        told = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, told])
        key = ("AWS4" + SECRET).encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), parts["Signature"])


@contextmanager
def object_store() -> Iterator[tuple[str, ObjectStore]]:
    """A running store: its address, and what it holds."""
    store = ObjectStore()
    with answering(store.answer) as address:
        yield address, store
