"""ignoreDifferences: fields that an application leaves to others, taken out of both sides before they are compared."""

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass

from kilde.core.basics.reading import Reader
from kilde.core.basics.values import Object
from kilde.core.objects.pointer import parse_pointer, without
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.jq_path import JqPath, read_jq_path
from kilde.core.plan.known_types import KnownField

Where = (
    tuple[str, ...] | JqPath | KnownField
)  # a JSON pointer's tokens, an expression, or a field of which the spelling does not count


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreRule:
    """Which objects (globs; "" matches all), and which fields: JSON pointers, jq expressions, and fields owned by these managers."""

    group: str
    kind: str
    name: str = ""
    namespace: str = ""
    pointers: tuple[Where, ...] = ()
    managers: tuple[str, ...] = ()
    odd: tuple[
        str, ...
    ] = ()  # pointers that begin with no slash, in words: read from their first slash on, as Argo CD does
    unread: tuple[str, ...] = ()  # expressions that are none, in words: nothing can be compared by this rule

    def matches(self, ref: ObjectRef) -> bool:
        return (
            fnmatch.fnmatchcase(ref.group, self.group)
            and fnmatch.fnmatchcase(ref.kind, self.kind)
            and (not self.name or self.name == ref.name)
            and (not self.namespace or self.namespace == ref.namespace)
        )


def read_rules(items: Iterable[Reader]) -> tuple[IgnoreRule, ...]:
    """The rules of `spec.ignoreDifferences`; problems go to the readers, those with pointers and expressions into the rules."""
    rules = []
    for at in items:
        pointers: list[Where] = []
        odd, unread = [], []
        for text in at.texts("jsonPointers"):
            tokens = parse_pointer(text)
            if tokens is None:
                odd.append(f"{at.path}.jsonPointers: '{text}' is not a JSON pointer (write /spec/replicas)")
                tokens = parse_pointer(text[text.find("/") :]) if "/" in text else None
            if tokens:
                pointers.append(tokens)  # the empty pointer names nothing that could be left out
        for text in at.texts("jqPathExpressions"):
            found = read_jq_path(text)
            if isinstance(found, str):
                unread.append(f"{at.path}.jqPathExpressions: {found}")
            else:
                pointers.append(found)
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
                odd=tuple(odd),
                unread=tuple(unread),
            )
        )
    return tuple(rules)


def pointers_for(rules: Iterable[IgnoreRule], ref: ObjectRef) -> tuple[Where, ...]:
    """The pointers and expressions of all rules that match an object."""
    return tuple(pointer for rule in rules if rule.matches(ref) for pointer in rule.pointers)


def managers_for(rules: Iterable[IgnoreRule], ref: ObjectRef) -> frozenset[str]:
    """The managers whose fields all rules that match an object leave alone."""
    return frozenset(manager for rule in rules if rule.matches(ref) for manager in rule.managers)


def located(where: Iterable[Where], body: Object) -> list[tuple[str, ...]]:
    """Where that is in an object, as pointers; of a list's items the last first, so that each can be taken out after another."""
    found: list[tuple[str, ...]] = []
    for one in where:
        if isinstance(one, JqPath):
            found += sorted(one.pointers(body), key=_place, reverse=True)
        elif not isinstance(one, KnownField):
            found.append(one)
    return found


def _place(pointer: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    return tuple((int(token), "") if token.isdigit() else (-1, token) for token in pointer)


def drop(body: Object, where: Iterable[Where]) -> Object:
    """`body` without what these name, and with known fields as a server would write them."""
    where = tuple(where)
    for one in where:
        body = one.rewritten(body) if isinstance(one, KnownField) else body
    for pointer in located(where, body):
        body = without(body, pointer)
    return body
