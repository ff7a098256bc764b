"""CertificateSigningRequests: who asks is what the server knows, not what they say (registry/certificates)."""

from collections.abc import Sequence

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World

_ASKER = ("username", "uid", "groups", "extra")


class SigningRequests(Strategy):
    """The asker's name and groups are put into the spec, which never changes after that."""

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        spec = {key: value for key, value in (obj.get("spec") or {}).items() if key not in _ASKER}
        user = call.user
        extra = {key: list(values) for key, values in user.extra}
        told = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": extra}
        obj["spec"] = {**spec, **{key: value for key, value in told.items() if value}}

    def prepare_change(self, world: World, call: Call, new: Object, old: Object) -> None:
        new["spec"] = old.get("spec") or {}
        conditions = (new.get("status") or {}).get("conditions")
        if call.subresource in ("approval", "status") and conditions:
            before = (old.get("status") or {}).get("conditions") or ()
            new["status"] = {**new["status"], "conditions": [_timed(one, before, world.now()) for one in conditions]}


def _timed(condition: Object, before: Sequence[Object], now: str) -> Object:
    """A condition with the times that were not sent: of its update now, of its turn that of the same answer before."""
    same = (one for one in before if (one["type"], one["status"]) == (condition.get("type"), condition.get("status")))
    turned = next((one.get("lastTransitionTime") for one in same), None)
    return {
        **condition,
        "lastUpdateTime": condition.get("lastUpdateTime") or now,
        "lastTransitionTime": condition.get("lastTransitionTime") or turned or now,
    }
