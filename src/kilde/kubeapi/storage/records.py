"""Record and Change: one version of one object as it is kept, and what one write did."""

from typing import NamedTuple

import msgspec

from kilde.core.basics.values import Object

_decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode


class Key(NamedTuple):
    """Where an object is kept. `resource` is `plural.group` ("pods", "deployments.apps"); `namespace` "" for cluster-scoped ones."""

    resource: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return "/".join(self)

    @staticmethod
    def parse(text: str) -> "Key":
        """The inverse of str(); the parts hold no slash."""
        resource, namespace, name = text.split("/")
        return Key(resource, namespace, name)


class Record:
    """One version of one object: its JSON bytes, its resourceVersion and its labels. Never changed."""

    __slots__ = ("data", "key", "labels", "version")

    def __init__(self, key: Key, version: int, data: bytes, labels: dict[str, str] | None) -> None:
        self.key, self.version, self.data, self.labels = key, version, data, labels

    def object(self) -> Object:
        """A fresh value of the object: the caller may change it."""
        found: Object = _decode(self.data)
        return found


class Change(NamedTuple):
    """What one write did to one object: created (`before` is None), replaced, or deleted (`after` is None).

    `last` is the final state of a deleted object, at this change's resourceVersion. `undone` marks the return to an earlier state, because
    the disk did not take what came after it: `after` is then older than `before`.
    """

    version: int
    key: Key
    before: Record | None
    after: Record | None
    last: Record | None = None
    undone: bool = False


def labels_of(key: Key, obj: Object) -> dict[str, str] | None:
    """The labels by which an object is found; a job that has none is found by its template's, which every read gives it."""
    found = obj["metadata"].get("labels")
    if not found and key.resource == _JOBS:
        template = (obj.get("spec") or {}).get("template") or {}
        found = (template.get("metadata") or {}).get("labels")
    return found or None


def record(key: Key, version: int, data: bytes, kind: type[Record] = Record) -> Record:
    """The record of these bytes, with the labels that labels_of tells."""
    labels = _Labelled.decode(data).metadata.labels
    if not labels and key.resource == _JOBS:
        labels = _Templated.decode(data).spec.template.metadata.labels
    return kind(key, version, data, labels or None)


_JOBS = "jobs.batch"


class _Meta(msgspec.Struct):
    labels: dict[str, str] | None = None


class _WithLabels(msgspec.Struct):
    metadata: _Meta = msgspec.field(default_factory=_Meta)


class _WithTemplate(msgspec.Struct):
    template: _WithLabels = msgspec.field(default_factory=_WithLabels)


class _Job(msgspec.Struct):
    spec: _WithTemplate = msgspec.field(default_factory=_WithTemplate)


_Labelled, _Templated = msgspec.json.Decoder(_WithLabels), msgspec.json.Decoder(_Job)
