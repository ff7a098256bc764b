"""Requests for objects: which verb a method and path mean, and how each is answered."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from kilde.core.basics.values import Object
from kilde.core.objects.typed import go_decode, schema
from kilde.kubeapi.access.reviews import Reviews
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.local import own
from kilde.kubeapi.local_services import LocalServices
from kilde.kubeapi.logic import decode, failures, negotiate, options
from kilde.kubeapi.logic.options import WriteOptions
from kilde.kubeapi.logic.path import Route
from kilde.kubeapi.resources.kinds import GROUP_ORDER, SubResource
from kilde.kubeapi.resources.tables import Include
from kilde.kubeapi.serving import logs, render
from kilde.kubeapi.serving.http import Request, Response, Send, answer
from kilde.kubeapi.serving.lists import Lists
from kilde.kubeapi.serving.service_proxy import ServiceProxy
from kilde.kubeapi.serving.watching import Stream, Watches
from kilde.kubeapi.storage.records import Record
from kilde.kubeapi.verbs import admit, create, delete, patch, read, update
from kilde.kubeapi.verbs.body_kind import AnotherKind, Said, check_said, with_head
from kilde.kubeapi.verbs.subresources import handler_of, kubelet
from kilde.kubeapi.verbs.subresources.binding import Binding
from kilde.kubeapi.verbs.subresources.handler import Handler
from kilde.kubeapi.verbs.subresources.scale import unnamed_scale
from kilde.kubeapi.webhooks.settling import settled
from kilde.kubeapi.world import World

_T = TypeVar("_T")
_TYPED = frozenset(("", "status", "scale", "eviction", "binding", "token", "ephemeralcontainers", "resize"))
_COLLECTION = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
_OBJECT = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_SUBRESOURCE = {"GET": "get", "PUT": "update", "PATCH": "patch", "POST": "create"}
_ORPHANED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)
_CONNECTED = ("exec", "attach", "portforward", "proxy")
_SEGMENTS = {".": "may not be '.'", "..": "may not be '..'"}
_KUBELET = ("log", "exec", "attach", "portforward", "proxy")
_OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}


class Resources:
    """Answers requests for objects of every kind."""

    def __init__(self, world: World, watches: Watches, services: LocalServices | None = None) -> None:
        self._world, self._watches = world, watches
        self._services = ServiceProxy(world, services or LocalServices())
        self._lists = Lists()
        self._reviews = Reviews(world, world.authorizer, world.tokens)
        self._verbs: dict[str, Callable[[Request, Call], Awaitable[Response]]] = {
            "get": self._get,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }

    async def serve(self, request: Request, route: Route, send: Send) -> None:
        """Answers one request, or streams a watch. ApiError for a refusal."""
        if (route.group, route.plural, route.subresource) == ("", "services", "proxy"):
            _check_connected(request)
            _check_names(route, "get")
            await self._services.serve(request, route, send)
            return
        kind = self.kind_of(route)
        verb = verb_of(request, route, kind)
        if route.subresource in _CONNECTED and not route.group:
            _check_connected(request)
        if _is_proxy(kind, route) and kind.storage == "nodes":
            raise self._no_kubelet(kind, route.name)
        call = self._call(request, route, kind, verb)
        request.warnings = call.warnings
        _check_route(request, route, kind, verb)
        if kind.warning:
            call.warn(kind.warning)
        if verb in ("list", "watch"):
            await self._list_or_watch(request, route, call, send)
            return
        if call.kind.storage == "pods" and call.subresource in _KUBELET:
            await self._kubelet(request, call, send)
            return
        handler = handler_of(call) if call.subresource else None
        if handler is not None:
            response = await self._ask(request, call, handler, verb)
        else:
            if verb in ("get", "delete"):
                check_segment(route.name)
            response = await self._verbs[verb](request, call)
        await self._world.store.settled(response.version)
        await response.send(request, send)

    def knows(self, route: Route) -> bool:
        """Whether this path is anybody's: the resource of a CRD, or of a group that is built in."""
        if not route.group or (route.group in GROUP_ORDER and self._world.kinds.catalog.versions(route.group)):
            return True
        return self._world.kinds.at(route.group, route.version, route.plural) is not None

    def kind_of(self, route: Route) -> Kind:
        """The kind behind a path; 404 if there is none."""
        kind = self._world.kinds.at(route.group, route.version, route.plural)
        if kind is None or (route.rest and not _is_proxy(kind, route)):
            raise failures.no_such_resource()
        if route.subresource and kind.resource.sub_resource(route.subresource) is None:
            if kind.resource.custom:
                raise failures.not_found(kind.about(route.name))
            raise failures.no_such_resource()
        inside = route.within
        if inside != kind.resource.namespaced and (inside or route.name):
            raise failures.no_such_resource()
        if not route.subresource and not _has_path(kind, route):
            raise failures.no_such_resource()
        return kind

    def _call(self, request: Request, route: Route, kind: Kind, verb: str) -> Call:
        chosen = WriteOptions()
        if verb in _OPTIONS:
            apply = request.headers.get("content-type", "").startswith(negotiate.APPLY)
            chosen = options.write_options(request.query, _OPTIONS[verb], apply=verb == "patch" and apply)
        agent = request.headers.get("user-agent", "")
        return Call(kind, route.namespace, route.name, route.subresource, chosen, request.user, agent)

    async def _list_or_watch(self, request: Request, route: Route, call: Call, send: Send) -> None:
        chosen = options.list_options(request.query, watch=route.watch)
        if chosen.watch and "watch" not in call.kind.resource.verbs:
            raise failures.cannot_watch(call.kind.resource.plural)
        if not chosen.watch:
            form = object_form(request, call)
            page = await self._settled(call, lambda: read.listed(self._world, call, chosen))
            response = await self._lists.answer(call, page, form, now=self._world.time(), query=request.query)
            await self._world.store.settled()
            await response.send(request, send)
            return
        form = object_form(request, call)
        if form.media == negotiate.YAML:
            raise negotiate.not_acceptable(stream=True)
        include = render.include_of(request.query) if form.kind == "Table" else Include.METADATA
        await self._watches.serve(request, Stream(call, chosen, form, include), send)

    def _no_kubelet(self, kind: Kind, name: str) -> ApiError:
        """Why a node cannot be reached."""
        if self._world.find(kind, "", name) is None:
            return failures.not_found(kind.about(name))
        return ApiError(501, "NotImplemented", "proxy is not served: nodes of this cluster are pretended")

    async def _kubelet(self, request: Request, call: Call, send: Send) -> None:
        if call.subresource != "log":
            raise kubelet.enter(self._world, call, request.query)
        await logs.serve(self._world, request, call, send, lambda: self._watches.stopping)

    async def _ask(self, request: Request, call: Call, handler: Handler, verb: str) -> Response:
        """A sub-resource whose body is not the object."""
        form = object_form(request, call)
        if verb == "get":
            return self._scale_answer(call, await self._settled(call, lambda: handler.get(self._world, call)), form)
        if verb == "patch":
            media = negotiate.patch_media(request.headers.get("content-type", ""), patch.BUILTIN_PATCHES)
            raw = await request.body()
            made = await self._settled(call, lambda: handler.patch(self._world, call, media, raw))
            return self._scale_answer(call, made, form)
        body = await self._object(request, call, call.kind.resource.sub_resource(call.subresource))
        if verb == "update":
            made = await self._settled(call, lambda: handler.put(self._world, call, own(body)))
            return self._scale_answer(call, made, form)
        made = await self._settled(call, lambda: handler.post(self._world, call, own(body)))
        return answer(201, made, form, call.warnings)

    async def _settled(self, call: Call, act: Callable[[], _T]) -> _T:
        return await settled(self._world.webhooks, act, call.memory, call.warnings)

    async def _answered(self, request: Request, status: int, call: Call, record: Record) -> Response:
        """One object as an answer, in the version that was asked for."""
        form = object_form(request, call)
        if call.kind.converts:
            record = await self._settled(call, lambda: call.kind.shown((record,))[0])
        return render.one(status, call, record, form, now=self._world.time(), query=request.query)

    def _scale_answer(self, call: Call, value: Object, form: negotiate.Form) -> Response:
        if form.kind == "Table":
            version = {"resourceVersion": value["metadata"].get("resourceVersion", "")}
            value = render.table(
                call.kind,
                [value],
                now=self._world.time(),
                include=Include.METADATA,
                metadata=version,
                subresource=call.subresource,
            )
            value = render.in_version(value, form)
        return answer(200, value, form, call.warnings)

    async def _get(self, request: Request, call: Call) -> Response:
        object_form(request, call)
        record = await self._settled(call, lambda: read.get(self._world, call, request.query))
        return await self._answered(request, 200, call, record)

    async def _create(self, request: Request, call: Call) -> Response:
        form = object_form(request, call)
        if self._reviews.answers(call):
            asked = await self._object(request, call)
            return answer(201, self._reviews.answer(call, asked), form._replace(kind=""), call.warnings)
        if call.kind.storage == "bindings":
            return await self._bind(request, call, form)
        obj = await self._object(request, call)
        record = await self._settled(call, lambda: create.create(self._world, call, own(obj)))
        return await self._answered(request, 201, call, record)

    async def _bind(self, request: Request, call: Call, form: negotiate.Form) -> Response:
        """POST to the old collection of bindings: the body names the pod."""
        body = await self._object(request, call)
        body.setdefault("metadata", {})
        if not body["metadata"].get("name") and (body.get("target") or {}).get("name"):
            raise failures.bad_request("Name parameter required.")
        pods = self._world.kinds.named("pods")
        assert pods is not None
        bound = replace(call, kind=pods, name=str(body["metadata"].get("name") or ""), subresource="binding")
        made = await self._settled(call, lambda: Binding().bind(self._world, call, bound, own(body)))
        return answer(201, made, form, call.warnings)

    async def _update(self, request: Request, call: Call) -> Response:
        object_form(request, call)
        obj = await self._object(request, call)
        record, created = await self._settled(call, lambda: update.update(self._world, call, own(obj)))
        return await self._answered(request, 201 if created else 200, call, record)

    async def _object(self, request: Request, call: Call, sub: SubResource | None = None) -> Object:
        """The decoded body: an object of the kind, or of the sub-resource's own."""
        name = sub.body[2] if sub else call.kind.resource.kind
        media = negotiate.body_media(request.headers.get("content-type", ""))
        raw = await request.body()
        resource = call.kind.resource
        if resource.custom and sub is None:
            body = decode.decode(raw, media, name)
            value = body.value if body.value is not None else {}
            if not isinstance(value, dict):
                raise failures.bad_request(f"the object provided is unrecognized (must be of type {name})")
            if not value.get("kind"):
                raise decode.without_kind(raw, name)
            admit.check_kind(call.kind, value)
            return dict(admit.typed(call, value, body.duplicates))
        try:
            return _read(call, raw, decode.decode(raw, media, name), sub)
        except ApiError as error:
            raise (unnamed_scale() if resource.custom and name == "Scale" else error) from error

    async def _patch(self, request: Request, call: Call) -> Response:
        object_form(request, call)
        offered = patch.CUSTOM_PATCHES if call.kind.resource.custom else patch.BUILTIN_PATCHES
        media = negotiate.patch_media(request.headers.get("content-type", ""), offered)
        raw = await request.body()
        record, created = await self._settled(call, lambda: patch.patch(self._world, call, media, raw))
        return await self._answered(request, 201 if created else 200, call, record)

    async def _delete(self, request: Request, call: Call) -> Response:
        form = object_form(request, call)
        chosen = await self._delete_options(request)
        _warn_of_orphans(call, chosen)
        record, gone = await self._settled(call, lambda: delete.delete(self._world, call, chosen))
        if gone and not delete.answers_object(call.kind):
            return answer(200, delete.deleted_status(call.kind, record.object()), form._replace(kind=""), call.warnings)
        return await self._answered(request, 200, call, record)

    async def _delete_collection(self, request: Request, call: Call) -> Response:
        form = object_form(request, call)
        wanted = options.list_options(request.query)
        read.selection(call.kind, wanted)  # refused before the options of the deletion are
        chosen = await self._delete_options(request)
        _warn_of_orphans(call, chosen)
        page = await self._settled(call, lambda: read.listed(self._world, call, wanted))
        if page.records and call.kind.resource.namespaced and not call.namespace:
            raise failures.no_namespace()
        for found in page.records:
            await self._settled(call, partial(delete.remove_if_there, self._world, call, found, chosen))
        page = page._replace(version=self._world.store.version)
        return await self._lists.answer(call, page, form, now=self._world.time(), query=request.query)

    async def _delete_options(self, request: Request) -> options.DeleteOptions:
        raw = await request.body()
        body = delete_body(raw, request.headers.get("content-type", "")) if raw else None
        return options.delete_options(request.query, body)


def _read(call: Call, raw: bytes, body: decode.Body, sub: SubResource | None) -> Object:
    """The body as its type has it, which its apiVersion and kind have to be of."""
    resource = call.kind.resource
    name = sub.body[2] if sub else resource.kind
    group, version = sub.body[:2] if sub and sub.body[1] else (resource.group, resource.version)
    try:
        said = check_said(body.value, Said(group, version, name))
    except decode.Unreadable as error:
        raise decode.unrecognized(raw, name, error.what) from error
    except AnotherKind as error:
        raise failures.bad_request(error.told) from error
    if sub is None:
        return dict(admit.typed(call, said, body.duplicates))
    made = admit.typed_body(call, sub, said, body.duplicates)
    return {**made, "metadata": dict(made.get("metadata") or {})}


def _warn_of_orphans(call: Call, chosen: options.DeleteOptions) -> None:
    if not chosen.propagation and call.kind.storage == "jobs.batch":
        call.warn(_ORPHANED)


def object_form(request: Request, call: Call) -> negotiate.Form:
    """The form in which a request is answered."""
    return negotiate.form(request.headers.get("accept", ""), custom=call.kind.resource.custom)


def delete_body(raw: bytes, content_type: str) -> Object:
    """The DeleteOptions of a body; 400 if it is none."""
    media = negotiate.body_media(content_type)
    try:
        value = with_head(decode.read(raw, media).value)
        node = schema.builtin().node("", "v1", "DeleteOptions")
        assert node is not None
        go_decode.decode(node, value)
    except (decode.Unreadable, go_decode.WrongType) as error:
        raise failures.bad_request(error.what) from error
    kind, version = str(value.get("kind") or ""), str(value.get("apiVersion") or "meta.k8s.io/v1")
    if kind in ("", "DeleteOptions"):
        return value
    if (kind, version) == ("Status", "v1"):
        raise failures.bad_request("converting (v1.Status) to (v1.DeleteOptions): unknown conversion")
    scheme = 'in scheme "pkg/runtime/scheme.go:111"'
    raise failures.bad_request(f'no kind "{kind}" is registered for version "{version}" {scheme}')


def _check_route(request: Request, route: Route, kind: Kind, verb: str) -> None:
    """Refuses what such a route does not take, before anything else is looked at."""
    if not kind.resource.custom and route.subresource in _TYPED:
        negotiate.check_route(request.headers, patch=verb == "patch", many=verb in ("list", "watch"))
    _check_names(route, verb)


def _check_names(route: Route, verb: str) -> None:
    if route.nowhere and route.name and verb != "update":  # which looks at the body's name first
        raise failures.no_namespace()
    if route.subresource and not route.name:
        raise failures.bad_request("name must be provided")


def _check_connected(request: Request) -> None:
    if "dryRun" in request.query:
        raise failures.bad_request("dryRun is not supported")


def check_segment(name: str) -> None:
    """400 for a name that no path can have."""
    why = _SEGMENTS.get(name) or next((f"may not contain '{one}'" for one in "/%" if one in name), "")
    if why:
        raise failures.bad_request(f"Name parameter invalid: {failures.quoted(name)}: {why}")


def _is_proxy(kind: Kind, route: Route) -> bool:
    return route.subresource == "proxy" and kind.resource.sub_resource("proxy") is not None


def _has_path(kind: Kind, route: Route) -> bool:
    """Whether there is such a path for any method: what can only be created has no names, and none across namespaces."""
    verbs = set(kind.resource.verbs)
    if route.watch and "watch" not in verbs:
        return False
    if route.name:
        return kind.resource.custom or bool(verbs & {"get", "update", "patch", "delete"})
    return route.within or not kind.resource.namespaced or "list" in verbs


def verb_of(request: Request, route: Route, kind: Kind) -> str:
    """The Kubernetes verb that a method means here; 405 if the resource has none such."""
    if route.subresource:
        sub = kind.resource.sub_resource(route.subresource)
        if _is_proxy(kind, route):
            return "get"  # all that matters there is where it leads
        verb = _SUBRESOURCE.get(request.method, "")
        if sub is None or verb not in sub.verbs:
            raise failures.method_not_allowed()
        return verb
    verb = (_OBJECT if route.name else _COLLECTION).get(request.method, "")
    if request.method == "POST" and kind.resource.custom:  # the name in the path means nothing there
        verb = "create"
    if route.watch and request.method == "GET":
        verb = "list"
    namespaced = kind.resource.namespaced
    if verb not in kind.resource.verbs or (verb == "create" and namespaced and not route.within):
        raise failures.method_not_allowed()
    if verb == "deletecollection" and namespaced and not route.within:
        raise failures.method_not_allowed()
    return verb
