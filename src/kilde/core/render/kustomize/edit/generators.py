"""`add`, `set` and `remove` of what configMapGenerator and secretGenerator make."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.reading import did_you_mean
from kilde.core.render.kustomize.edit.fields import Change, Fields, put, refuse_unless

Check = Callable[[Mapping[str, Any], Mapping[str, Any]], None]
"""Raises KildeError where an entry, with the kustomization's generatorOptions, could not be generated from its sources."""

BEHAVIORS = ("create", "merge", "replace")
_DEFAULT_NAMESPACE = "default"


class Generator(NamedTuple):
    """One of the two: its `field`, and what a person calls what it makes."""

    field: str
    noun: str


CONFIG_MAPS = Generator("configMapGenerator", "configmap")
SECRETS = Generator("secretGenerator", "secret")


class Sources(NamedTuple):
    """What `add` was given: `kind` is a new Secret's type."""

    name: str
    namespace: str = ""
    files: Sequence[str] = ()
    literals: Sequence[str] = ()
    env: str = ""
    behavior: str = ""
    no_hash: bool = False
    kind: str = ""

    def check(self) -> None:
        """Raises InvalidInput for what does not go together."""
        refuse_unless(
            bool(self.env or self.files or self.literals),
            "at least from-env-file, or from-file or from-literal must be set",
        )
        refuse_unless(
            not (self.env and (self.files or self.literals)),
            "from-env-file cannot be combined with from-file or from-literal",
        )
        if self.behavior and self.behavior not in BEHAVIORS:
            raise InvalidInput(
                f"invalid behavior{did_you_mean(self.behavior, BEHAVIORS)}",
                about=self.behavior,
                hint=f"one of {', '.join(BEHAVIORS)}",
            )


def add_sources(generator: Generator, sources: Sources, check: Check) -> Change:
    """`add configmap|secret`: into the entry with this name and namespace, or a new one."""
    sources.check()

    def change(fields: Fields) -> list[str]:
        entries = deepcopy(fields.get(generator.field) or [])
        at = _place(entries, sources.name, sources.namespace)
        if at is None:
            made = {"name": sources.name, "namespace": sources.namespace, "type": sources.kind}
            entries.append({name: text for name, text in made.items() if text})
            at = -1
        _add_to(entries[at], sources)
        _settle(entries[at], fields, check)
        fields[generator.field] = entries
        return []

    return change


def _add_to(entry: dict[str, Any], sources: Sources) -> None:
    envs = (sources.env,) if sources.env else ()
    for name, more in (("literals", sources.literals), ("files", sources.files), ("envs", envs)):
        put(entry, name, [*(entry.get(name) or []), *more])
    if sources.no_hash:
        entry["options"] = {**(entry.get("options") or {}), "disableNameSuffixHash": True}
    if sources.behavior:
        entry["behavior"] = sources.behavior


def set_literals(
    generator: Generator, name: str, namespace: str, literals: Sequence[str], new_namespace: str, check: Check
) -> Change:
    """`set configmap|secret`: other values for keys that are there, another namespace."""
    refuse_unless(
        bool(literals or new_namespace), "at least one of [--from-literal, --new-namespace] must be specified"
    )

    def change(fields: Fields) -> list[str]:
        entries = deepcopy(fields.get(generator.field) or [])
        at = _place(entries, name, namespace)
        if at is None:
            names = [entry.get("name") or "" for entry in entries]
            raise InvalidInput(f"unable to find {generator.noun} with name '{name}'{did_you_mean(name, names)}")
        if literals:
            entries[at]["literals"] = _replaced(entries[at].get("literals") or [], literals)
        if new_namespace:
            entries[at]["namespace"] = new_namespace
        _settle(entries[at], fields, check)
        fields[generator.field] = entries
        return []

    return change


def _replaced(present: Sequence[str], literals: Sequence[str]) -> list[str]:
    """The literals with other values, in their order; of those with one key the last counts."""
    found: dict[str, str] = dict(map(_pair, present))
    for key, value in map(_pair, literals):
        if key not in found:
            raise InvalidInput(f"key '{key}' not found in resource{did_you_mean(key, found)}")
        found[key] = value
    return [f"{key}={value}" for key, value in found.items()]


def _pair(literal: str) -> tuple[str, str]:
    """A literal's key and value. The text is not told where it is wrong: it may be a secret."""
    key, equals, value = literal.partition("=")
    if not equals:
        raise InvalidInput("invalid format: literal values must be specified in the key=value format")
    return key, value


def remove_named(generator: Generator, argument: str, namespace: str) -> Change:
    """`remove configmap|secret`: comma-separated names; those that are not there are told of, unless none is."""
    names = argument.split(",")

    def change(fields: Fields) -> list[str]:
        entries = fields.get(generator.field) or []
        gone = [entry for entry in entries if entry.get("name", "") in names and _is_in(entry, namespace)]
        if not gone:
            raise InvalidInput(f"no specified {generator.noun}(s) were found", about=argument)
        put(fields, generator.field, [entry for entry in entries if all(entry is not other for other in gone)])
        found = {entry.get("name", "") for entry in gone}
        return [f"{generator.noun} {name} doesn't exist in kustomization file" for name in names if name not in found]

    return change


def _place(entries: Sequence[Mapping[str, Any]], name: str, namespace: str) -> int | None:
    for at, entry in enumerate(entries):
        if (entry.get("name") or "") == name and _is_in(entry, namespace):
            return at
    return None


def _is_in(entry: Mapping[str, Any], namespace: str) -> bool:
    """Whether an entry is of a namespace; none is "default"."""
    return (entry.get("namespace") or _DEFAULT_NAMESPACE) == (namespace or _DEFAULT_NAMESPACE)


def _settle(entry: dict[str, Any], fields: Fields, check: Check) -> None:
    """Checks an entry and, as kustomize does, writes the general options into it."""
    general = fields.get("generatorOptions")
    check(entry, general or {})
    if general is None:
        return
    local = dict(entry.get("options") or {})
    for name in ("labels", "annotations"):
        put(local, name, {**(general.get(name) or {}), **(local.get(name) or {})})
    for flag in ("disableNameSuffixHash", "immutable"):
        put(local, flag, bool(general.get(flag)) or bool(local.get(flag)))
    if local:
        entry["options"] = local
