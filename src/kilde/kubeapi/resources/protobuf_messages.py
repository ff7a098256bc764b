"""Which field of which of Kubernetes' messages has which number, name and type: what the reader and the writer of protobuf both go by."""

import base64
import functools
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from kilde.kubeapi.resources._protobuf_fields import FACTS

MAGIC = b"k8s\x00"
_META, _OLD_META = "meta.k8s.io/v1", "meta.k8s.io/v1beta1"


class Field(NamedTuple):
    """One field; `code` is `string`, `[]string`, `{}quantity`, `@7` (the message of that index), …"""

    name: str
    pointer: bool
    inline: bool
    always: bool  # JSON writes it even if it is empty
    code: str


Message = Mapping[int, Field]


class Table(NamedTuple):
    """All messages; `kinds` are those of objects (`apps/v1 Deployment`), `schema` is JSONSchemaProps."""

    kinds: Mapping[str, int]
    messages: tuple[Message, ...]
    schema: int

    def of_kind(self, api_version: str, kind: str) -> int | None:
        """The index of a kind's message. Options are sent in the version of the group they go to, and are the same in all."""
        known = _META if api_version == _OLD_META else api_version or "v1"  # which the core's discovery does not say
        found = self.kinds.get(f"{known} {kind}")
        return self.kinds.get(f"v1 {kind}") if found is None and kind == "DeleteOptions" else found

    def of_list(self, api_version: str, kind: str) -> "ListOf | None":
        """What a list is made of; None if it is none of a known kind."""
        items = self.of_kind(api_version, kind.removesuffix("List")) if kind.endswith("List") else None
        if items is None:
            return None
        return ListOf(self.kinds["v1 ListMeta"], items, *((2, 1) if api_version == _OLD_META else (1, 2)))


class ListOf(NamedTuple):
    """The indices of the messages of a list's metadata and of its items, and the numbers of their fields."""

    meta: int
    item: int
    meta_number: int
    item_number: int


@functools.cache
def table() -> Table:
    """The packed facts, read once."""
    facts = msgspec.json.decode(zlib.decompress(base64.b85decode(FACTS)))
    messages = tuple(
        {number: Field(name, "*" in flags, "+" in flags, "!" in flags, code) for number, name, flags, code in message}
        for message in facts["messages"]
    )
    return Table(facts["kinds"], messages, facts["schema"])
