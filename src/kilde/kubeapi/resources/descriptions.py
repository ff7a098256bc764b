"""What the fields of built-in kinds are for: the texts that `kubectl explain` prints."""

import base64
import functools
import lzma
from collections.abc import Mapping

import msgspec


@functools.cache
def _table() -> tuple[list[str], dict[str, dict[str, int]]]:
    from kilde.kubeapi.resources._descriptions import PACKED  # 160 KB of text that only explain needs

    texts, fields = msgspec.json.decode(
        lzma.decompress(base64.b85decode(PACKED)), type=tuple[list[str], dict[str, dict[str, int]]]
    )
    return texts, fields


def describe(definition: str) -> Mapping[str, str]:
    """Field name → description, of a definition of Kubernetes' OpenAPI; "" is the definition itself. Empty if it is not known."""
    texts, fields = _table()
    return {name: texts[index] for name, index in fields.get(definition, {}).items()}
