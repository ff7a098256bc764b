"""How the events of a watch are written: lines of JSON, or frames of protobuf."""

import msgspec

from kilde.core.basics.values import Object
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic.negotiate import JSON, PROTOBUF
from kilde.kubeapi.resources import protobuf_writer
from kilde.kubeapi.storage.records import Record

CONTENT_TYPES = {
    JSON: (b"content-type", JSON.encode()),
    PROTOBUF: (b"content-type", f"{PROTOBUF};stream=watch".encode()),
}
_encode = msgspec.json.Encoder().encode


class Lines:
    """The events of the change that is being told, so that a hundred watchers share one."""

    def __init__(self) -> None:
        self._record: Record | None = None
        self._made: dict[tuple[str, str, str], bytes] = {}

    def line(self, event: str, kind: Kind, record: Record, media: str) -> bytes:
        """One event about a whole object."""
        if record is not self._record:
            self._record, self._made = record, {}
        asked = event, kind.resource.api_version, media
        found = self._made.get(asked)
        if found is None:
            binary = media == PROTOBUF
            found = framed(event, kind.presented(record), media) if binary else _line(event, kind.written(record))
            self._made[asked] = found
        return found


def framed(event: str, obj: Object, media: str) -> bytes:
    """One event of a stream."""
    if media == PROTOBUF:
        return protobuf_writer.event(event, protobuf_writer.encode(obj))
    return _line(event, _encode(obj))


def _line(event: str, obj: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (event.encode(), obj)
