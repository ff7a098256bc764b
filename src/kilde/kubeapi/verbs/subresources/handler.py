"""Handler: what a sub-resource with a body of its own can be asked. A verb that it does not have is 405."""

from kilde.core.basics.values import Object
from kilde.core.objects.typed import schema
from kilde.core.objects.typed.managed_fields import update
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.world import World

SUCCESS: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def shown(call: Call, body: Object, version: str, kind: str, now: str) -> Object:
    """A body as admission sees it: typed, in the request's namespace, and with the manager of its fields."""
    meta = {**(body.get("metadata") or {}), "namespace": call.namespace}
    rest = {key: value for key, value in body.items() if key not in ("apiVersion", "kind", "metadata")}
    typed = {"apiVersion": version, "kind": kind, "metadata": meta, **rest}
    group, _, short = version.rpartition("/")
    node = schema.builtin().node(group, short, kind)
    assert node is not None
    return update(
        None, typed, node=node, manager=call.manager, api_version=version, subresource=call.subresource, now=now
    ).object


class Handler:
    """Overridden one verb at a time."""

    def get(self, world: World, call: Call) -> Object:
        """GET: the sub-resource's object."""
        raise failures.method_not_allowed()

    def put(self, world: World, call: Call, body: Object) -> Object:
        """PUT: the sub-resource's object after it."""
        raise failures.method_not_allowed()

    def patch(self, world: World, call: Call, media: str, raw: bytes) -> Object:
        """PATCH: the sub-resource's object after it."""
        raise failures.method_not_allowed()

    def post(self, world: World, call: Call, body: Object) -> Object:
        """POST: what it answers, with 201."""
        raise failures.method_not_allowed()
