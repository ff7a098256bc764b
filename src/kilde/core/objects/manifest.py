"""Manifest: one Kubernetes object as somebody wrote it, with where it was written."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kilde.core.basics.errors import InvalidYaml, Place
from kilde.core.basics.values import Object, digest
from kilde.core.objects.object_meta import mistake, text_of, texts_of
from kilde.core.objects.ref import ObjectRef, split_api_version


@dataclass(frozen=True)
class Manifest:
    """One object. `body` is never changed in place; `origin` is the file and line it came from (None: made here).

    What is no text where one belongs counts as not there, as in Argo CD; `fault` is what the reader found wrong with what was written.
    """

    body: Object
    origin: Place | None = field(default=None, compare=False)
    fault: InvalidYaml | None = field(default=None, compare=False, repr=False)

    @property
    def mistake(self) -> InvalidYaml | None:
        """What is wrong with it, for whoever can still mend it: no object that has a mistake is applied as it was meant."""
        return self.fault or mistake(self.body, lambda path: self.origin)

    @property
    def api_version(self) -> str:
        return text_of(self.body.get("apiVersion"))

    @property
    def group(self) -> str:
        return split_api_version(self.api_version)[0]

    @property
    def version(self) -> str:
        return split_api_version(self.api_version)[1]

    @property
    def kind(self) -> str:
        return text_of(self.body.get("kind"))

    @property
    def metadata(self) -> dict[str, Any]:
        found = self.body.get("metadata")
        return found if isinstance(found, dict) else {}

    @property
    def holds_metadata(self) -> bool:
        """Whether metadata can be set: not where it is there, and null."""
        return self.body.get("metadata", {}) is not None

    @property
    def name(self) -> str:
        return text_of(self.metadata.get("name"))

    @property
    def namespace(self) -> str:
        return text_of(self.metadata.get("namespace"))

    @property
    def annotations(self) -> dict[str, str]:
        return texts_of(self.metadata.get("annotations"))

    @property
    def labels(self) -> dict[str, str]:
        return texts_of(self.metadata.get("labels"))

    @cached_property
    def ref(self) -> ObjectRef:
        return ObjectRef(self.group, self.kind, self.namespace, self.name)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical body."""
        return digest(self.body)

    def __str__(self) -> str:
        return str(self.ref)


def refuse_mistakes(manifests: Iterable[Manifest]) -> None:
    """Raises the first mistake among them, an InvalidYaml with its line: for those who read what can still be mended."""
    for manifest in manifests:
        if (found := manifest.mistake) is not None:
            raise found
