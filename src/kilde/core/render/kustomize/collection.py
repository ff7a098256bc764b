"""Collection: the objects of a build in the order they came, no two with the same id."""

from collections.abc import Callable, Iterable, Iterator

from kilde.core.basics.errors import RenderFailed
from kilde.core.render.kustomize.resource import ResId, Resource


class Collection:
    """A list of resources; adding checks ids, transformers change the resources in place and then call `settle`."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self.items: list[Resource] = []
        self._keys: set[object] | None = None
        self.extend(resources)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def extend(self, resources: Iterable[Resource]) -> None:
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        """Raises RenderFailed if an object with this id is there already."""
        if self._keys is None:
            self._keys = {found.id.key for found in self.items}
        key = resource.id.key
        if key in self._keys:
            other = next(found for found in self.items if found.id.key == key)
            where = f", which {other.place} has too" if other.place else ""
            raise RenderFailed(
                f"may not add resource with an already registered id{where}",
                about=str(resource.id),
                place=resource.place,
            )
        self._keys.add(key)
        self.items.append(resource)

    def demand_distinct(self, when: str) -> None:
        """Raises RenderFailed if two objects have become one."""
        seen: dict[object, Resource] = {}
        for resource in self.items:
            other = seen.setdefault(resource.id.key, resource)
            if other is not resource:
                where = f" with {other.place}" if other.place else ""
                raise RenderFailed(f"ID conflict{where} {when}", about=str(resource), place=resource.place)

    def changed(self) -> None:
        """Ids may have changed."""
        self._keys = None

    def settle(self) -> None:
        """Drops what a patch emptied."""
        self._keys = None
        if not all(resource.body for resource in self.items):
            self.items = [resource for resource in self.items if resource.body]

    def matching_any_id(self, matches: Callable[[ResId], bool]) -> list[Resource]:
        return [r for r in self.items if r.body and any(matches(found) for found in r.any_ids)]

    def with_any_id(self, wanted: ResId) -> list[Resource]:
        key = wanted.key
        return self.matching_any_id(lambda found: found.key == key)

    def absorb(self, made: Resource) -> None:
        """Adds a generated object: new, or merged into or put in place of the one it names."""
        found = self.with_any_id(made.id)
        if not found:
            if made.behavior in ("merge", "replace"):
                raise RenderFailed(
                    f"does not exist, so it cannot be made by behavior '{made.behavior}'",
                    about=str(made.id),
                    place=made.place,
                )
            self.add(made)
            return
        if len(found) > 1:
            raise RenderFailed("several objects could take in what is generated", about=str(made.id), place=made.place)
        old = found[0]
        if made.behavior not in ("merge", "replace"):
            raise RenderFailed(
                "exists already", about=str(made.id), hint="behavior must be merge or replace", place=made.place
            )
        _take_over(made, old)
        if made.id.key != old.id.key:
            raise RenderFailed(f"cannot take the place of {old.id}", about=str(made.id), place=made.place)
        if made.behavior == "merge":
            for data in ("data", "binaryData"):
                _merge_data(made, old, data)
            made.origin = old.origin or made.origin
        made.behavior = old.behavior
        self.items[self.items.index(old)] = made
        self._keys = None

    def copy(self) -> "Collection":
        copied = Collection()
        copied.items = [resource.copy() for resource in self.items]
        return copied

    def copies(self, copied: "Collection") -> dict[int, Resource]:
        """The objects of a copy by the `id` of those they were made of."""
        return {id(old): new for old, new in zip(self.items, copied.items, strict=True)}


def _take_over(made: Resource, old: Resource) -> None:
    """Name, namespace and history are the old object's; labels and annotations the union, the new ones winning."""
    for field in ("labels", "annotations"):
        made.set_strings(field, {**old.strings(field), **made.strings(field)})
    made.set_metadata("name", old.name)
    made.set_metadata("namespace", old.namespace)
    made.former, made.prefixes, made.suffixes = list(old.former), list(old.prefixes), list(old.suffixes)
    made.needs_hash = made.needs_hash and old.needs_hash
    made.transformations = list(old.transformations)


def _merge_data(made: Resource, old: Resource, field: str) -> None:
    before, new = old.body.get(field), made.body.get(field)
    merged = {**(before if isinstance(before, dict) else {}), **(new if isinstance(new, dict) else {})}
    if merged:
        made.body[field] = merged
    else:
        made.body.pop(field, None)
