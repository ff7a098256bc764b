"""CertificateSigningRequests: who asks is what the server knows, not what they say (registry/certificates)."""

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
