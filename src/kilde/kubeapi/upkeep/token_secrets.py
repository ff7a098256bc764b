"""Secrets that hold a ServiceAccount's token: filled when they are made, gone when the account is (the tokens controller)."""

import base64

from kilde.kubeapi.storage.records import Change, Key
from kilde.kubeapi.upkeep.remove import remove
from kilde.kubeapi.webhooks.questions import Memory
from kilde.kubeapi.world import World

_TYPE = "kubernetes.io/service-account-token"
_NAME, _UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"
_MARK = _TYPE.encode()
_TEN_YEARS = 10 * 365 * 86_400


class TokenSecrets:
    """Each waiting item is `namespace/name` of a Secret."""

    def __init__(self, world: World, ca: str) -> None:
        self._world, self._ca = world, ca
        self.waiting: dict[str, None] = {}
        for record in world.store.all("secrets"):
            if _MARK in record.data:
                self.waiting["/".join(record.key[1:])] = None

    def changed(self, change: Change) -> None:
        """Notes Secrets of this type, and those of an account that has changed."""
        if change.key.resource == "secrets" and change.after is not None and _MARK in change.after.data:
            self.waiting["/".join(change.key[1:])] = None
        elif change.key.resource == "serviceaccounts" and (change.before is None or change.after is None):
            for record in self._world.store.all("secrets", change.key.namespace):
                if _MARK in record.data:
                    self.waiting["/".join(record.key[1:])] = None

    def attend(self, about: str, memory: Memory) -> None:
        """Fills in what is missing; removes the Secret of an account that is gone. Waits."""
        namespace, name = about.split("/")
        record = self._world.store.get(Key("secrets", namespace, name))
        if record is None:
            return
        secret = record.object()
        meta = secret["metadata"]
        account_name = (meta.get("annotations") or {}).get(_NAME, "")
        if secret.get("type") != _TYPE or not account_name or meta.get("deletionTimestamp"):
            return
        found = self._world.store.get(Key("serviceaccounts", namespace, account_name))
        if found is None:
            if _UID in meta["annotations"]:
                remove(self._world, record.key, uid=meta["uid"], memory=memory)
            return
        account = found.object()
        data = dict(secret.get("data") or {})
        wanted = {"ca.crt": self._ca, "namespace": namespace}
        if "token" not in data:
            bound = {"kind": "Secret", "name": name, "uid": meta["uid"]}
            now = self._world.time()
            wanted["token"] = self._world.tokens.issue(
                namespace, account, audiences=[], seconds=_TEN_YEARS, now=now, bound=bound
            )
        data |= {
            key: base64.b64encode(value.encode()).decode()
            for key, value in wanted.items()
            if key == "token" or key not in data
        }
        uid = account["metadata"]["uid"]
        if data == secret.get("data") and meta["annotations"].get(_UID) == uid:
            return
        meta["annotations"] = {**meta["annotations"], _UID: uid}
        self._world.store.put(record.key, {**secret, "data": data})
