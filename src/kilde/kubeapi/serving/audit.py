"""Audit log: one JSON line for each stage of a request, as much as the policy wants (k8s.io/apiserver, pkg/endpoints/filters/audit.go)."""

import datetime
import uuid
import zlib
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, Protocol

import msgspec
import structlog

from kilde.core.basics.values import Object
from kilde.kubeapi.call import User
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import decode, negotiate
from kilde.kubeapi.logic.audit import WORDS, Decision, Level, Policy
from kilde.kubeapi.logic.path import route
from kilde.kubeapi.logic.rbac import Attributes
from kilde.kubeapi.serving.http import LONGEST_BODY, Receive, Send
from kilde.kubeapi.serving.rotating import RotatingFile

SCOPE = "kilde.audit"
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger("kilde.kubeapi")


class Note(Protocol):
    """What the application tells about a request as soon as it knows it."""

    def asked(self, wanted: Attributes, user: User | None) -> None:
        """What is wanted, and who asks (None: nobody who is known)."""

    def decided(self, *, allowed: bool, reason: str) -> None:
        """Whether it is allowed, and by what; "" where there is nothing to tell."""

    def admitted(self, user: User) -> None:
        """Whose rights count, after impersonation."""


class Silent:
    """The note of a server without an audit log."""

    def asked(self, wanted: Attributes, user: User | None) -> None:
        pass

    def decided(self, *, allowed: bool, reason: str) -> None:
        pass

    def admitted(self, user: User) -> None:
        pass


class Audit:
    """The application with an audit log around it. A disk that is full costs lines of the log, never an answer."""

    def __init__(self, app: Any, policy: Policy, file: RotatingFile, now: Callable[[], float]) -> None:
        self._app, self._policy, self._now, self._file = app, policy, now, file
        self._failed = False

    def close(self) -> None:
        self._file.close()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        entry = _Entry(scope, self._policy, self._now, self._write)

        async def receiving() -> MutableMapping[str, Any]:
            message = await receive()
            entry.received(message.get("body", b""))
            return message

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                entry.started(message["status"], message.get("headers", ()))
            elif message["type"] == "http.response.body":
                entry.answered(message.get("body", b""))
            await send(message)

        try:
            await self._app({**scope, SCOPE: entry}, receiving, sending)
        finally:
            entry.stage("ResponseComplete")

    def _write(self, event: Object) -> None:
        try:
            self._file.write(_encode(event) + b"\n")
            self._failed = False
        except OSError as error:
            if not self._failed:
                _log.error("the audit log cannot be written", problem=error.strerror)
            self._failed = True


class _Entry:
    """One request, as its events tell of it."""

    def __init__(
        self, scope: MutableMapping[str, Any], policy: Policy, now: Callable[[], float], write: Callable[[Object], None]
    ) -> None:
        self._scope, self._policy, self._now, self._write = scope, policy, now, write
        self._decision = Decision(Level.NONE)
        self._event: Object = {}
        self._body, self._answer = bytearray(), bytearray()
        self._annotations: dict[str, str] = {}
        self._media = self._coding = ""
        self._status = 0
        self._watch = False

    def asked(self, wanted: Attributes, user: User | None) -> None:
        who = user or User("")
        self._decision = self._policy.decide(wanted, who.name, who.groups)
        if self._decision.level is Level.NONE:
            return
        scope = self._scope
        query = scope["query_string"].decode("latin-1")
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
        client = scope.get("client")
        self._watch = wanted.verb == "watch"
        self._event = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": WORDS[self._decision.level],
            "auditID": str(uuid.uuid4()),
            "stage": "",
            "requestURI": f"{path}?{query}" if query else path,
            "verb": wanted.verb,
            "user": _user(who),
            **({"sourceIPs": [client[0]]} if client else {}),
            "userAgent": self._header("user-agent"),
            **_reference(wanted, scope["path"]),
            "requestReceivedTimestamp": self._time(),
        }
        self.stage("RequestReceived")

    def decided(self, *, allowed: bool, reason: str) -> None:
        self._annotations = {
            "authorization.k8s.io/decision": "allow" if allowed else "forbid",
            "authorization.k8s.io/reason": reason,
        }

    def admitted(self, user: User) -> None:
        if self._event and _user(user) != self._event["user"]:
            self._event["impersonatedUser"] = _user(user)

    def received(self, part: bytes) -> None:
        if self._event and len(self._body) <= LONGEST_BODY:
            self._body += part

    def answered(self, part: bytes) -> None:
        """Keeps an answer that is one object."""
        one = self._media in (negotiate.JSON, negotiate.YAML, negotiate.PROTOBUF) and not self._watch
        if self._event and one and self._decision.level is Level.REQUEST_RESPONSE:
            self._answer += part

    def started(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self._status = status
        found = {key.lower(): value.decode("latin-1") for key, value in headers}
        self._media = found.get(b"content-type", "").partition(";")[0].strip()
        self._coding = found.get(b"content-encoding", "")
        if self._watch:
            self.stage("ResponseStarted")

    def stage(self, name: str) -> None:
        """Writes the event of a stage, unless the policy leaves it out."""
        if not self._event or name in self._decision.omitted:
            return
        event = {**self._event, "stage": name}
        if name != "RequestReceived":
            event["responseStatus"] = {"metadata": {}, "code": self._status}
            found = self._object() if self._body else None
            if isinstance(found, dict) and event["verb"] in ("create", "update") and "objectRef" in event:
                event["objectRef"] = {**_named(found), **event["objectRef"]}
            if found is not None and self._decision.level >= Level.REQUEST:
                event["requestObject"] = found
            answer = self._answered() if self._answer else None
            if answer is not None:
                event["responseObject"] = answer
        annotations = {"annotations": self._annotations} if self._annotations and name != "RequestReceived" else {}
        self._write({**event, "stageTimestamp": self._time(), **annotations})

    def _answered(self) -> Object | None:
        """The object that was answered; None for an answer that is none, such as the version."""
        raw = bytes(self._answer)
        if self._coding == "gzip":
            raw = zlib.decompress(raw, 31)
        try:
            found = decode.decode(raw, self._media, "").value
        except ApiError:  # a YAML answer that is longer than a body may be
            return None
        if not isinstance(found, dict) or not found.get("kind"):
            return None
        if isinstance(found.get("items"), list):
            found = {**found, "items": [self._disowned(item) for item in found["items"]]}
        made: Object = self._disowned(found)
        return made

    def _object(self) -> Any:
        """The body as the client sent it, a patch too; None for one that cannot be read."""
        kind = self._header("content-type")
        media = kind.partition(";")[0].strip()
        try:
            if media.endswith("+yaml"):
                media = negotiate.YAML
            elif media.endswith("+json"):
                media = negotiate.JSON
            else:
                media = negotiate.body_media(kind)
            found = decode.decode(bytes(self._body), media, "").value
        except ApiError:
            return None
        return self._disowned(found)

    def _disowned(self, found: Any) -> Any:
        """The object without managedFields, if the policy says so."""
        if self._decision.omit_managed_fields and isinstance(found, dict) and isinstance(found.get("metadata"), dict):
            meta = {key: value for key, value in found["metadata"].items() if key != "managedFields"}
            return {**found, "metadata": meta}
        return found

    def _header(self, name: str) -> str:
        wanted = name.encode()
        return next((value.decode("latin-1") for key, value in self._scope["headers"] if key == wanted), "")

    def _time(self) -> str:
        moment = datetime.datetime.fromtimestamp(self._now(), datetime.UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _user(user: User) -> Object:
    found: Object = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    if user.extra:
        found["extra"] = {key: list(values) for key, values in user.extra}
    return {key: value for key, value in found.items() if value}


def _named(obj: Object) -> Object:
    """What an object's metadata adds to a reference whose URL does not say it."""
    meta = obj.get("metadata") if isinstance(obj.get("metadata"), dict) else {}
    return {key: meta[key] for key in ("namespace", "name", "uid", "resourceVersion") if meta and meta.get(key)}


def _reference(wanted: Attributes, path: str) -> Object:
    """The objectRef of a request for a resource."""
    if wanted.path:
        return {}
    found = route(path)
    names = {
        "resource": wanted.resource,
        "namespace": wanted.namespace,
        "name": wanted.name,
        "apiGroup": wanted.group,
        "apiVersion": found.version if found else "",
        "subresource": wanted.subresource,
    }
    return {"objectRef": {key: value for key, value in names.items() if value}}
