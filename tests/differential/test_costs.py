"""The cost of CEL rules: both servers refuse the same rules of the same schemas, by the same factor."""

from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer"}


def listed(item: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": item, **more}


def mapped(item: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": item, **more}


def thing(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


PERSON = {**thing(name=TEXT, tags=listed(TEXT), age=NUMBER), "required": ["name"]}
SHAPES: dict[str, dict[str, Any]] = {
    "text": TEXT,
    "short text": {**TEXT, "maxLength": 10},
    "long text": {**TEXT, "maxLength": 100_000},
    "words": {**TEXT, "enum": ["a", "bcd"]},
    "bytes": {**TEXT, "format": "byte"},
    "texts": listed(TEXT),
    "few texts": listed(TEXT, maxItems=10),
    "few short texts": listed({**TEXT, "maxLength": 20}, maxItems=100),
    "numbers": listed(NUMBER),
    "people": listed(PERSON),
    "some people": listed(PERSON, maxItems=50),
    "map": mapped(TEXT),
    "small map": mapped({**TEXT, "maxLength": 30}, maxProperties=20),
    "map of lists": mapped(listed(NUMBER)),
    "object": thing(a=TEXT, b={**TEXT, "maxLength": 5}, l=listed(TEXT), n=NUMBER, d={**TEXT, "format": "date-time"}),
    "either": {"x-kubernetes-int-or-string": True},
}
RULES: dict[str, tuple[str, ...]] = {
    "text words": (
        "self.startsWith('abc')",
        "self.matches('^[a-z]+$')",
        "self.contains('ab')",
        "self == 'x' || self < 'y'",
    ),
    "long text": (
        "self.matches('^[a-z]+(-[a-z]+)*$')",
        "self.split(',').all(x, x.contains('ab'))",
        "self.replace('a', 'bb').size() < 9",
    ),
    "short text": (
        "self.lowerAscii() == self",
        "self + self != self + 'x'",
        "self.find('[a-z]+') != ''",
        "isQuantity(self)",
    ),
    "bytes": ("self.size() < 5", "self == b'a'"),
    "texts": (
        "self.all(x, x.startsWith('a'))",
        "self.all(x, self.exists_one(y, x == y))",
        "self.exists(x, x.matches('[a-z]+'))",
        "self.map(x, x + 'a').all(y, y.size() < 9)",
        "self.filter(x, x != 'a').size() < 2",
        "self.all(x, x in self)",
        "'a' in self",
        "self.isSorted()",
        "self.join(',') != ''",
        "self.size() < 2 ? self[0] == 'a' : self[1] == 'b'",
        "self == ['a', 'b']",
        "self + ['a'] == self",
        "self.all(x, self.all(y, self.all(z, x == z)))",
        "sets.contains(self, ['a', 'b'])",
        "sets.equivalent(self, self)",
        "self.distinct().size() == self.size()",
        "self.sort() == self",
        "self.reverse().slice(0, 3).size() == 3",
        "self.all(i, v, v != string(i))",
        "self.transformList(i, v, v + 'a').size() < 3",
        "self.all(x, !format.dns1123Label().validate(x).hasValue())",
        "self.all(x, isSemver(x) && semver(x).major() > 1)",
    ),
    "few texts": (
        "self.all(x, x.matches('^[a-z]+(-[a-z0-9]+)*$'))",
        "self.all(x, self.exists_one(y, x == y))",
        "self.all(x, self.all(y, x.contains(y)))",
    ),
    "few short texts": (
        "self.all(x, self.all(y, x == y))",
        "self.all(x, self.all(y, x.contains(y)))",
        "self.all(x, self.all(y, self.all(z, x + y == z)))",
        "self.join('-').matches('[a-z]+')",
    ),
    "numbers": (
        "self.sum() < 9",
        "self.all(x, x > 1 && x < 5)",
        "self.all(x, self.all(y, x <= y))",
        "self.max() == self[0]",
        "lists.range(9).all(x, x in self)",
        "self.sortBy(x, -x).size() > 2",
        "[self, self].flatten().size() > 2",
    ),
    "people": (
        "self.all(p, p.name != '')",
        "self.all(p, p.tags.all(t, t.startsWith('a')))",
        "self.all(p, has(p.age) && p.age > 1)",
        "self.map(p, p.name).all(n, n.startsWith('x'))",
        "self.all(p, self.exists_one(q, q.name == p.name))",
    ),
    "some people": (
        "self.all(p, p.tags.all(t, t.startsWith('a')))",
        "self.all(p, self.exists_one(q, q.name == p.name))",
        "self.filter(p, p.age > 3).all(p, p.name.contains('x'))",
        "self.map(p, p.tags.size()).sum() < 9",
    ),
    "map": ("self.all(k, self[k] != '')", "self.exists(k, k.startsWith('a'))", "'a' in self", "self == {'a': 'b'}"),
    "small map": (
        "self.all(k, self[k].matches('[a-z]+'))",
        "self.all(k, self.all(j, self[k] == self[j]))",
        "self.all(k, v, v != k)",
        "self.transformMap(k, v, v + k).size() > 2",
    ),
    "map of lists": ("self.all(k, self[k].all(n, n > 3))", "self['a'].all(x, x in self['b'])"),
    "object": (
        "self.a == self.b",
        "self.l.all(x, x == self.a)",
        "has(self.d) && self.d > timestamp('2020-01-01T00:00:00Z')",
        "self.n + 1 < 5 && self.l.all(x, x.size() == self.n)",
        "[self.a, self.b].all(x, x.contains('x'))",
        "{'k': self.a}.all(k, k == self.b)",
        "self == oldSelf",
        "self.l == oldSelf.l",
        "self.l.all(x, oldSelf.l.exists(y, y == x))",
    ),
    "either": ("self == 5 || self == 'x'", "type(self) == string ? self.contains('x') : self > 1"),
}
WRAPS: dict[str, Any] = {
    "itself": lambda shape: thing(f=shape),
    "in a list": lambda shape: thing(f=listed(thing(g=shape))),
    "in a short list": lambda shape: thing(f=listed(thing(g=shape), maxItems=7)),
    "in a map of lists": lambda shape: thing(f=mapped(listed(shape, maxItems=3), maxProperties=4)),
}
CASES = [
    (wrap, name, rule)
    for wrap in WRAPS
    for group, rules in RULES.items()
    for name in (group.split() if group == "text words" else [group])
    for rule in (rules if wrap in ("itself", "in a short list") else rules[:3])
    if wrap == "itself" or "oldSelf" not in rule  # in a list, what was there before cannot be found
]


def definition(spec: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": spec}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "costs", "kind": "Cost"}
    body = {"group": "c.example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    return {"metadata": {"name": "costs.c.example.com"}, "spec": body}


def test_rules_are_judged_alike(pair: Pair) -> None:
    found = []
    for wrap, name, rule in CASES:
        shape = {**SHAPES[name], "x-kubernetes-validations": [{"rule": rule}]}
        real, ours = pair.ask(Ask("POST", f"{CRDS}?dryRun=All", definition(WRAPS[wrap](shape))))
        different = differences(normal(real), normal(ours))
        found += [f"{wrap}, {name}, {rule}: {line}" for line in different]

    assert not found, f"{len(found)} of {len(CASES)}\n" + "\n".join(found)


def test_messages_and_the_sum_of_rules_are_judged_alike(pair: Pair) -> None:
    looped = "self.all(x, self.all(y, x == y))"
    found = []
    for rules in (
        [{"rule": "true", "messageExpression": "self.join(',')"}],
        [{"rule": "self.all(x, x.contains('abc'))", "messageExpression": "self.map(x, x + x).join(',')"}],
        [{"rule": looped}] * 2,
        [{"rule": f"self.size() < {number} || {looped}"} for number in range(6)],
        [{"rule": "self.all(x, x.startsWith('a'))"} for _ in range(12)],
    ):
        shape = {**listed({**TEXT, "maxLength": 200}, maxItems=1000), "x-kubernetes-validations": rules}
        real, ours = pair.ask(Ask("POST", f"{CRDS}?dryRun=All", definition(thing(f=shape))))
        found += [f"{rules}: {line}" for line in differences(normal(real), normal(ours))]

    assert not found, "\n".join(found)
