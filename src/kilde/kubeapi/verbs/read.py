"""get and list: the bytes that are stored, chosen by selectors and cut into parts."""

from bisect import bisect_left
from typing import NamedTuple

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.selector import LabelSelector, parse_fields, parse_labels
from kilde.kubeapi.call import Call
from kilde.kubeapi.kinds import COMPONENTS, Kind
from kilde.kubeapi.logic import failures, paging
from kilde.kubeapi.logic.fields import Read, reader
from kilde.kubeapi.logic.options import ListOptions, Query, first, version
from kilde.kubeapi.logic.paging import Token
from kilde.kubeapi.storage.records import Record
from kilde.kubeapi.storage.store import Expired
from kilde.kubeapi.world import World


class Selection(NamedTuple):
    """Which objects a list or watch wants: by label, and by fields as (read, is or is not, value)."""

    labels: LabelSelector
    fields: tuple[tuple[Read, bool, str], ...]
    name: str = ""

    @property
    def everything(self) -> bool:
        return self.labels.everything and not self.fields and not self.name

    def matches(self, found: Record) -> bool:
        """Whether a stored object is wanted."""
        if self.name and found.key.name != self.name:
            return False
        if not self.labels.everything and not self.labels.matches(found.labels):
            return False
        if not self.fields:
            return True
        obj = found.object()
        return all((read(obj) == value) == equal for read, equal, value in self.fields)


def selection(kind: Kind, options: ListOptions, name: str = "") -> Selection:
    """400 if a selector cannot be read or names a field that cannot be selected."""
    try:
        labels = parse_labels(options.label_selector)
        terms = parse_fields(options.field_selector)
    except InvalidInput as error:
        raise failures.bad_request(error.what) from error
    fields = []
    for term in terms:
        if not term.field and not term.value:
            continue  # such a term holds of everything
        read = reader(kind.storage, kind.resource.kind, term.field, kind.selectable)
        if term.field == "metadata.name" and term.equal and not name and term.value:
            name = term.value
            continue
        fields.append((read, term.equal, term.value))
    return Selection(labels, tuple(fields), name)


class Page(NamedTuple):
    """A list or a part of it: records, the resourceVersion they are of, the token of the next part and how many are left (-1: unknown)."""

    records: list[Record]
    version: int
    token: str = ""
    remaining: int = -1


def get(world: World, call: Call, query: Query) -> Record:
    """The object; 404 if there is none, 504 if the asked resourceVersion has not come yet. Waits where a webhook converts it."""
    asked = version(first(query, "resourceVersion"))
    if asked is not None and asked > world.store.version and call.kind.storage != COMPONENTS:
        raise failures.too_large_version(asked, world.store.version)
    found = world.find(call.kind, call.namespace, call.name)
    if found is None:
        about = call.kind.about(call.name)
        raise failures.not_found(about._replace(kind="componentstatus") if call.kind.storage == COMPONENTS else about)
    return call.kind.shown((found,))[0] if call.kind.converts else found


def listed(world: World, call: Call, options: ListOptions) -> Page:
    """The objects that are wanted, as of one moment. Waits where a webhook converts them."""
    chosen = selection(call.kind, options, call.name)
    if call.kind.storage == COMPONENTS:
        return Page([found for found in world.components.values() if chosen.matches(found)], 0)
    single = chosen.name and not options.token and (call.namespace or not call.kind.resource.namespaced)
    start: tuple[str, str] | None = None
    as_of = world.store.version
    if options.token:
        token = paging.decode(options.token)
        as_of, start = token.version, token.start
    elif options.version and options.version > as_of:
        raise failures.too_large_version(options.version, as_of)
    elif options.version and (options.match == "Exact" or (options.limit > 0 and not options.match and not single)):
        as_of = options.version
    records = _records(world, call, as_of, continued=bool(options.token))
    if start is not None:
        records = records[bisect_left(records, start, key=lambda found: found.key[1:]) :]
    if single:
        records = [found for found in records if found.key.name == chosen.name]
    if not chosen.everything and call.kind.converts:
        records = call.kind.shown(records)
    # From resourceVersion 0 a real server answers with all it holds, whatever the limit.
    limit = 0 if options.version == 0 and not options.token else options.limit
    page, left = _first(records, chosen, limit)
    page = call.kind.shown(page) if call.kind.converts else page
    if not left:
        return Page(page, as_of)
    after = records[-left].key
    following = paging.encode(Token(as_of, (after.namespace, after.name)))
    return Page(page, as_of, following, left if chosen.everything else -1)


def _first(records: list[Record], chosen: Selection, limit: int) -> tuple[list[Record], int]:
    """The first so many that are wanted (0: all), and how many objects come after the last of them, wanted or not."""
    if chosen.everything:
        page = records[:limit] if limit > 0 else records
        return page, len(records) - len(page)
    page = []
    for seen, found in enumerate(records, 1):
        if chosen.matches(found):
            page.append(found)
            if len(page) == limit:
                return page, len(records) - seen
    return page, 0


def _records(world: World, call: Call, as_of: int, *, continued: bool) -> list[Record]:
    storage, namespace = call.kind.storage, call.namespace
    if as_of >= world.store.version:
        return list(world.store.all(storage, namespace))
    try:
        return world.store.at(as_of, storage, namespace)
    except Expired as error:
        if continued:
            raise paging.expired() from error
        raise failures.expired("The resourceVersion for the provided list is too old.") from error
