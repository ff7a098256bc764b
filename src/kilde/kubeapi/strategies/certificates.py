"""CertificateSigningRequests: who asks is what the server knows, and who may approve or sign (registry and admission/certificates)."""

from collections.abc import Sequence

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.rbac import Attributes
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World

_ASKER = ("username", "uid", "groups", "extra")
_CLIENT, _MASTERS = "kubernetes.io/kube-apiserver-client", "system:masters"


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

    def admit(self, world: World, call: Call, new: Object, old: Object | None) -> None:
        name = str(new["metadata"].get("name") or "")
        if old is None:
            if _asks_for_all_rights(new["spec"]):
                why = f"use of {_CLIENT} signer with {_MASTERS} group is not allowed"
                raise failures.forbidden(call.kind.about(name), why)
            return
        signer = old["spec"]["signerName"]
        if call.subresource == "approval" and not _may(world, call, "approve", signer):
            why = f"user not permitted to approve requests with signerName {failures.quoted(signer)}"
            raise failures.forbidden(call.kind.about(name), why)
        if call.subresource == "status" and _signs(new, old) and not _may(world, call, "sign", signer):
            why = f"user not permitted to sign requests with signerName {failures.quoted(signer)}"
            raise failures.forbidden(call.kind.about(name), why)


def _asks_for_all_rights(spec: Object) -> bool:
    if spec.get("signerName") != _CLIENT:
        return False
    from kilde.kubeapi.signing import asked  # takes long to load, and few requests come

    names = asked(spec["request"])
    return names is not None and _MASTERS in names.organizations


def _signs(new: Object, old: Object) -> bool:
    """Whether a change of the status is one that a signer makes."""
    was, now = (one.get("status") or {} for one in (old, new))
    return any((was.get(key) or None) != (now.get(key) or None) for key in ("certificate", "conditions"))


def _may(world: World, call: Call, verb: str, signer: str) -> bool:
    """Whether somebody may do this for a signer, or for all of its domain."""
    names = (signer, f"{signer.partition('/')[0]}/*")
    wanted = (Attributes(verb, "certificates.k8s.io", "signers", name=name) for name in names)
    return any(world.authorizer.decide(call.user, one).allowed for one in wanted)


def _timed(condition: Object, before: Sequence[Object], now: str) -> Object:
    """A condition with the times that were not sent: of its update now, of its turn that of the same answer before."""
    same = (one for one in before if (one["type"], one["status"]) == (condition.get("type"), condition.get("status")))
    turned = next((one.get("lastTransitionTime") for one in same), None)
    return {
        **condition,
        "lastUpdateTime": condition.get("lastUpdateTime") or now,
        "lastTransitionTime": condition.get("lastTransitionTime") or turned or now,
    }
