"""ignoreDifferences: fields that an application leaves to others, taken out of both sides before they are compared."""

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass

from kilde.core.basics.reading import Reader
from kilde.core.basics.values import Object
from kilde.core.objects.pointer import parse_pointer, without
from kilde.core.objects.ref import ObjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreRule:
    """Which objects (globs; "" matches all), and which fields: JSON pointers, and fields owned by these managers."""

    group: str
    kind: str
    name: str = ""
    namespace: str = ""
    pointers: tuple[tuple[str, ...], ...] = ()
    managers: tuple[str, ...] = ()

    def matches(self, ref: ObjectRef) -> bool:
        return (
            fnmatch.fnmatchcase(ref.group, self.group)
            and fnmatch.fnmatchcase(ref.kind, self.kind)
            and (not self.name or self.name == ref.name)
            and (not self.namespace or self.namespace == ref.namespace)
        )


def read_rules(items: Iterable[Reader]) -> tuple[IgnoreRule, ...]:
    """The rules of `spec.ignoreDifferences`; problems go to the readers."""
    rules = []
    for at in items:
        pointers = []
        for text in at.texts("jsonPointers"):
            tokens = parse_pointer(text)
            if tokens is None:
                at.problem("jsonPointers", f"'{text}' is not a JSON pointer (write /spec/replicas)")
            else:
                pointers.append(tokens)
        if at.has("jqPathExpressions"):
            at.problem("jqPathExpressions", "are not supported by this release; use jsonPointers")
        if not at.is_wrong and not at.has("kind"):
            at.problem("kind", "is missing")
        rules.append(
            IgnoreRule(
                group=at.text("group"),
                kind=at.text("kind"),
                name=at.text("name"),
                namespace=at.text("namespace"),
                pointers=tuple(pointers),
                managers=at.texts("managedFieldsManagers"),
            )
        )
    return tuple(rules)


def pointers_for(rules: Iterable[IgnoreRule], ref: ObjectRef) -> tuple[tuple[str, ...], ...]:
    """The pointers of all rules that match an object."""
    return tuple(pointer for rule in rules if rule.matches(ref) for pointer in rule.pointers)


def managers_for(rules: Iterable[IgnoreRule], ref: ObjectRef) -> frozenset[str]:
    """The managers whose fields all rules that match an object leave alone."""
    return frozenset(manager for rule in rules if rule.matches(ref) for manager in rule.managers)


def drop(body: Object, pointers: Iterable[tuple[str, ...]]) -> Object:
    """`body` without what the pointers name."""
    for pointer in pointers:
        body = without(body, pointer)
    return body
