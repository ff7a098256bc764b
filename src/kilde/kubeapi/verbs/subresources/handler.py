"""Handler: what a sub-resource with a body of its own can be asked. A verb that it does not have is 405."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.world import World

SUCCESS: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


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
