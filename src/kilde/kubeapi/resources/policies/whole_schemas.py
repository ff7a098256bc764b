"""Whole schemas: the kinds that a rule's words mean, and the schema of a kind with all that it refers to put in."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from kilde.core.objects.typed.schema import Kind, Types
from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.openapi import Schemas
from kilde.kubeapi.resources.openapi_schemas import custom_schemas, definition_name, reference

Schema = Mapping[str, Any]
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_IN_A_CIRCLE: Schema = {"type": "object"}


class Served(NamedTuple):
    """What a server serves at a moment. `schemas` are those of CRDs, as OpenAPI tells them."""

    catalog: Catalog
    schemas: Schemas
    types: Types

    def kinds(self, group: str, version: str, resource: str) -> Iterator[Kind]:
        """The kinds behind a plural or a singular; a group that is "" means any of them, as it does to client-go's mapper."""
        for one in self.catalog.resources:
            named = resource.lower() in (one.plural, one.singular)
            if named and one.version == version and group in ("", one.group):
                yield Kind(one.group, one.version, one.kind)

    def schema(self, kind: Kind) -> Schema | None:
        """The schema of a whole object; None if nobody tells it."""
        resource = self.catalog.of_kind(*kind)
        if resource is not None and resource.custom:
            found = custom_schemas([(resource, self.schemas.get((kind.group, kind.version, kind.kind)))])
            return _whole(found[definition_name(resource)], self._definition, ())
        name = self.types.kinds.get(kind)
        return None if name is None else _whole(self._definition(name), self._definition, (name,))

    def _definition(self, name: str) -> Schema:
        """A definition as Go tells it: a quantity is of no one type there."""
        found = self.types.definition(name)
        return {key: value for key, value in found.items() if key != "type"} if name == _QUANTITY else found


def _whole(schema: Schema, definition: Callable[[str], Schema], above: tuple[str, ...]) -> Schema:
    """The schema with definitions in the place of references; one within itself is told as any object."""
    name = _referred(schema)
    if name:
        return _IN_A_CIRCLE if name in above else _whole(definition(name), definition, (*above, name))
    made = dict(schema)
    if made.get("format") == "int-or-string":
        made["x-kubernetes-int-or-string"] = True
    if "properties" in made:
        made["properties"] = {key: _whole(one, definition, above) for key, one in made["properties"].items()}
    for part in ("items", "additionalProperties"):
        if isinstance(made.get(part), Mapping):
            made[part] = _whole(made[part], definition, above)
    return made


def _referred(schema: Schema) -> str:
    for one in (schema, *(schema.get("allOf") or ())):
        if "$ref" in one:
            return str(one["$ref"]).removeprefix(reference(""))
    return ""
