"""What Go's decoder calls the type of a field, where the OpenAPI definition does not tell."""

import base64
import functools
import zlib
from typing import NamedTuple


class GoField(NamedTuple):
    """`structs` are the embedded structs on the way to the field ("VolumeSource"), `type` its named type; "" where there is none."""

    structs: str
    type: str


_USUAL = GoField("", "")


@functools.cache
def _table() -> dict[str, dict[str, GoField]]:
    from kilde.core.objects.typed._go_types import PACKED  # only a wrong type needs it

    found: dict[str, dict[str, GoField]] = {}
    for line in zlib.decompress(base64.b85decode(PACKED)).decode().splitlines():
        definition, *fields = line.split(" ")
        found[definition] = {
            name: GoField(*told.split(":", 1)) for name, _, told in (field.partition("=") for field in fields)
        }
    return found


def go_field(definition: str, field: str) -> GoField:
    """What is told of a field of an OpenAPI definition."""
    return _table().get(definition, {}).get(field, _USUAL)
