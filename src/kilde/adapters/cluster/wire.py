"""Wire: the few fields of lists, events and objects that we read; everything else stays bytes."""

import msgspec

from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import join_api_version
from kilde.ports.cluster import Resource


class Metadata(msgspec.Struct, gc=False, frozen=True):
    """Of an object."""

    name: str = ""
    namespace: str = ""
    resourceVersion: str = ""  # noqa: N815  # the wire's own name


class Head(msgspec.Struct, gc=False):
    """The head of an object."""

    kind: str = ""
    metadata: Metadata = Metadata()


class ListMetadata(msgspec.Struct, gc=False, frozen=True, rename={"next_page": "continue"}):
    """Of a list. `next_page` is "" on the last page."""

    resourceVersion: str = ""  # noqa: N815  # the wire's own name
    next_page: str = ""


class Listing(msgspec.Struct):
    """One page of a list."""

    metadata: ListMetadata = ListMetadata()
    items: list[msgspec.Raw] | None = None


class Event(msgspec.Struct):
    """One line of a watch."""

    type: str
    object: msgspec.Raw


_head = msgspec.json.Decoder(Head).decode
_listing = msgspec.json.Decoder(Listing).decode
_event = msgspec.json.Decoder(Event).decode


def head(raw: bytes, about: str) -> Head:
    """Raises ClusterError (reason Invalid), as all of these do, for what no API server says."""
    try:
        return _head(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _nonsense(about) from error


def listing(raw: bytes, about: str) -> Listing:
    try:
        return _listing(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _nonsense(about) from error


def event(raw: bytes, about: str) -> Event:
    try:
        return _event(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _nonsense(about) from error


def completed(raw: bytes, kind: str, resource: Resource) -> bytes:
    """The object with apiVersion and kind (a list of built-in objects leaves them out of its items)."""
    if kind:
        return raw
    start = raw.index(b"{") + 1
    api_version = join_api_version(resource.group, resource.version)
    names = f'{{"kind":"{resource.kind}","apiVersion":"{api_version}",'.encode()
    return names + raw[start:]


def _nonsense(about: str) -> ClusterError:
    return ClusterError("the answer is not what an API server says there", about=about, reason="Invalid")
