"""The note of a move, kept in the cluster: how far it has come, and what was stopped for it."""

from enum import StrEnum
from typing import Any

import msgspec

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object

NAME = "kilde-migration"


class State(StrEnum):
    """STOPPING: the other controller is being stopped. OWNING: fields become ours. TAKEN: we write. RETURNING and RETURNED: back again."""

    STOPPING = "stopping"
    OWNING = "owning"
    TAKEN = "taken-over"
    RETURNING = "handing-back"
    RETURNED = "handed-back"


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was stopped: with how many replicas it ran."""

    kind: str
    namespace: str
    name: str
    replicas: int

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """`version`: the resourceVersion that it was read at, "" for one that is not there yet."""

    system: str
    state: State
    stopped: tuple[Stopped, ...] = ()
    version: str = ""

    def config_map(self, namespace: str) -> Object:
        """As it is kept."""
        meta: Object = {"name": NAME, "namespace": namespace}
        if self.version:
            meta["resourceVersion"] = self.version
        data = {
            "system": self.system,
            "state": str(self.state),
            "stopped": msgspec.json.encode(self.stopped).decode(),
        }
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def read_note(body: Object) -> Note:
    """InvalidInput where it is none of ours: then nobody may act on it."""
    data: Any = body.get("data") or {}
    try:
        return Note(
            system=str(data["system"]),
            state=State(data["state"]),
            stopped=msgspec.json.decode(data.get("stopped") or "[]", type=tuple[Stopped, ...]),
            version=str((body.get("metadata") or {}).get("resourceVersion", "")),
        )
    except (KeyError, ValueError, msgspec.MsgspecError) as error:
        hint = "put it right by hand, or delete it if nothing is moved"
        raise InvalidInput("cannot be read as the note of a move", about=f"ConfigMap {NAME}", hint=hint) from error
