"""services/NAME/proxy: a request to what is behind a Service, through the API server.

Goes to a registered local listener, or else to the Service's first endpoint that is a Pod of that address, as a real API server does.
"""

from urllib.parse import quote, urlencode

from kilde.core.basics.values import Object
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.local_services import LocalServices
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.logic.path import Route
from kilde.kubeapi.serving.http import Request, Send
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.world import World

_SCHEMES = ("", "http", "https")


class ServiceProxy:
    """The proxy sub-resource of Services."""

    def __init__(self, world: World, local: LocalServices) -> None:
        self._world, self._local = world, local

    async def serve(self, request: Request, route: Route, send: Send) -> None:
        """Asks what is behind the Service; its answer goes back as it is. ApiError where there is nobody to ask."""
        scheme, name, port = _parts(route.name)
        record = self._world.store.get(Key("services", route.namespace, name))
        if record is None:
            raise failures.not_found(Named("", "services", name))
        host, number = self._target(record.object(), route, name, port)
        path = request.path.partition("/proxy")[2] or "/"
        query = f"?{urlencode(request.query, doseq=True)}" if request.query else ""
        address = f"[{host}]:{number}" if ":" in host else f"{host}:{number}"
        from kilde.kubeapi.serving.forwarding import forward  # slow to load, and seldom asked for

        response = await forward(request, f"{scheme or 'http'}://{address}{quote(path)}{query}")
        await response.send(request, send)

    def _target(self, service: Object, route: Route, name: str, port: str) -> tuple[str, int]:
        chosen = _port(service, port)
        if chosen is None:
            raise _unavailable(f'no service port "{port}" found for service "{name}"')
        local = self._local.find(route.namespace, name)
        if local is not None:
            return local
        endpoints = self._world.store.get(Key("endpoints", route.namespace, name))
        for subset in (endpoints.object().get("subsets") or ()) if endpoints else ():
            ports = [
                each for each in subset.get("ports") or () if (each.get("name") or "") == (chosen.get("name") or "")
            ]
            for address in subset.get("addresses") or ():
                if ports and self._is_pod(address):
                    return str(address["ip"]), int(ports[0]["port"])
        raise _unavailable(f'no endpoints available for service "{route.name}"')

    def _is_pod(self, address: Object) -> bool:
        """Only a Pod of that very address: else whoever may write Endpoints could have us knock anywhere."""
        target = address.get("targetRef") or {}
        if target.get("kind") != "Pod":
            return False
        pod = self._world.store.get(Key("pods", str(target.get("namespace")), str(target.get("name"))))
        return pod is not None and (pod.object().get("status") or {}).get("podIP") == address.get("ip")


def _parts(name: str) -> tuple[str, str, str]:
    """`[scheme:]name[:port]`."""
    parts = name.split(":")
    if len(parts) == 1:
        return "", name, ""
    scheme, middle, port = (parts if len(parts) == 3 else ["", *parts]) if len(parts) < 4 else ("?", "", "")
    if scheme not in _SCHEMES or not middle:
        raise failures.bad_request(f"invalid service request {failures.quoted(name)}")
    return scheme, middle, port


def _port(service: Object, asked: str) -> Object | None:
    ports = (service.get("spec") or {}).get("ports") or []
    if not asked:
        return ports[0] if len(ports) == 1 else next((each for each in ports if not each.get("name")), None)
    return next((each for each in ports if asked in (each.get("name"), str(each.get("port")))), None)


def _unavailable(what: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", what)
