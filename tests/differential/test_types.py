"""CEL before it is evaluated: both servers refuse the same expressions, in the same words, for their types and their constants."""

import re
from typing import Any

import pytest

from differential.sides import Ask, Pair
from differential.test_expressions import CRDS, FIELDS, POLICIES

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

_QUOTED = re.compile(r'^Invalid value: \{"Rule":.*"OptionalOldSelf":[a-z]+\}: ', re.DOTALL)
_NAMED_AT_RANDOM = re.compile(r"selfType[0-9]*")  # a real server names the type of `self` by the clock
TEXT: dict[str, Any] = {"type": "string", "maxLength": 9}
PARTS: dict[str, Any] = {
    **FIELDS,
    "day": {"type": "string", "format": "date"},
    "maybe": {**TEXT, "nullable": True},
    "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"known": TEXT}},
    "lost": {"x-kubernetes-preserve-unknown-fields": True},
    "pod": {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
    "grid": {"type": "array", "maxItems": 3, "items": {"type": "array", "maxItems": 3, "items": {"type": "integer"}}},
    "deep": {
        "type": "object",
        "additionalProperties": {"type": "object", "properties": {"in": TEXT}},
        "maxProperties": 3,
    },
    "namespace": TEXT,
    "x__y": TEXT,
}
RULES = """
self.nope
self.nope == 1 && self.neither == 2
has(self.nope)
has(self.s.nope)
self.s
self.either
self.s + 1 == 'a'
self.s == 1
self.s == null
self.keyed == null
self.when == null
self.n == 1.0
self.n < 1.5
self.n + 1.5 > 1.0
self.n == self.either
self.either + 1 > 2
self.either.foo
self.maybe == null
self.l == ['a', 1]
self.l[0] == 1
self.l['a'] == 'b'
self.m['a'] == 'b'
self.m[1] == 1
self.m.a == 1
self.m.a == 'x'
self.keyed[0].nope == 1
self.keyed.all(k, k.nope == 1)
self.keyed.all(k, k.n == 'x')
self.keyed.all(k, k)
self.keyed.map(k, k.nope).size() == 1
self.keyed.exists(k, k.name == k.n)
self.s.all(c, c == 'a')
self.n.map(c, c) == [1]
self.grid.all(r, r.all(c, c == 'x'))
self.grid[0][0] == 'x'
self.grid == [[1], ['a']]
self.deep.all(k, self.deep[k].__in__ == 1)
self.deep.a.nope == 1
self.deep.a.__in__ == 'x'
self.deep.a.in == 'x'
self.__namespace__ == 'x'
self.namespace == 'x'
self.a__dash__b__dot__c == 1
self.x__underscores__y == 1
self.any.known == 1
self.any.other == 1
self.lost == 1
self.pod.metadata.name == 1
self.pod.metadata.labels == 1
self.pod.kind == 'Pod' && self.pod.spec == 1
self.when == 'x'
self.when > self.long
self.when - self.when == 1
self.day.getFullYear('UTC', 1) == 1
self.long.getFullYear() == 1
self.raw == 'abc'
self.raw + 'x' == b'abc'
self.set + [1] == ['x']
self.s ? true : false
self.n > 0 ? 1 : 'a'
(self.n > 0 ? 1 : 'a') == 1
!self.n
-self.s == 'a'
self.n && true
true || self.s
self.n && self.s || 1
1 in self.l
self.s in self.m
'a' in self.keyed
self.s in 'abc'
self.?nope.hasValue()
self.?s.orValue(1) == 1
self.?m[?'a'].orValue('x') == 'x'
self.?keyed[?0].?nope.hasValue()
self.keyed[?0].name == 'x'
optional.of(1).orValue('a') == 1
optional.none().hasValue()
optional.of(self.s).value() == 1
optional.of(1).optMap(x, x + 'a').hasValue()
[?self.?s, 'a'].size() == 1
[?self.s].size() == 1
{?'a': self.?n, 'b': 1}.size() == 1
{?'a': self.n}.size() == 1
[1, 'a'].size() == 2
[1, 2.0, 'a'].size() == 2
[[1], ['a']].size() == 2
[self.n, self.either].size() == 2
[1, null].size() == 2
[self.when, null].size() == 2
{'a': 1, 'b': 'c'}.size() == 2
{'a': 1, 2: 3}.size() == 2
{'a': 1, 'a': 2}.size() == 1
[] == [1]
[] + [1] == ['a']
{}.size() == 0
{} == {'a': 1}
timestamp('x') == self.when
timestamp('2024-13-01T00:00:00Z') == self.when
timestamp(self.s) == self.when
duration('x') == self.long
duration('1y') == self.long
duration(1) == self.long
duration(self.n) == self.long
int('x') == 1
int('99999999999999999999') == 1
int(1.5) == 1
int(true) == 1
double('x') == 1.0
uint('-1') == 1u
uint(-1) == 1u
bool('x')
bytes('x') == self.raw
string(b'\\xff') == 'a'
string(self.l) == 'a'
string(null) == 'a'
type(self.s) == int
type(self.nope) == int
type(self.s) == string && type(self.l) == list && type(self.m) == map && type(null) == null_type
type(self.when) == google.protobuf.Timestamp
type(self) == selfType
self.s.matches('[')
self.s.matches('(?=a)')
self.s.matches('a**')
matches(self.s, '(')
self.s.matches(self.s + '[')
self.s.find('[') == 'a'
self.s.findAll('(') == ['a']
self.s.findAll('a', '1') == ['a']
'%d'.format(['a']) == 'a'
'%s %d'.format(['a']) == 'a'
'%s'.format(['a', 'b']) == 'a'
'%q'.format(['a']) == 'a'
'%.3'.format(['a']) == 'a'
'%'.format(['a']) == 'a'
'%f'.format([1]) == 'a'
'%x %b %o %e'.format(['a', true, 1, 2.0]) == 'a'
'%b'.format(['a']) == 'a'
'%o'.format([1.0]) == 'a'
'%x'.format([1.0]) == 'a'
'%e'.format([true]) == 'a'
'%s'.format([quantity('1')]) == 'a'
'%s'.format([[quantity('1')]]) == 'a'
'%s %s'.format([1, 'a']) == 'a'
'%d'.format([self.s]) == 'a'
'%d'.format([self.either]) == 'a'
self.s.format([1, 'a']) == 'a'
'%s'.format('a') == 'a'
self.s.split(1) == ['a']
self.s.substring('a') == 'a'
self.s.replace('a') == 'b'
self.s.charAt('a') == 'b'
self.l.join(1) == 'a'
self.grid.join() == 'a'
self.l.sum() == 1
self.l.max() == 1
self.keyed.sort() == self.keyed
self.keyed.sortBy(k, k.nope).size() == 1
self.keyed.sortBy(k, k).size() == 1
self.l.isSorted() == 1
self.grid.flatten() == ['a']
self.l.flatten() == ['a']
self.l.slice('a', 1) == ['a']
self.l.reverse() == [1]
self.l.distinct() == [1]
self.l.indexOf(1) == 1
lists.range('a') == [1]
sets.contains(self.l, [1])
sets.contains(self.s, [1])
self.l.transformList(i, v, v + i) == ['a']
self.m.transformMap(k, v, v + k).size() == 1
self.m.transformMapEntry(k, v, {v: k}).size() == 1
self.l.all(i, v, v == i)
self.m.exists(k, v, k == v)
self.l.exists_one(x, x == 1)
self.l.filter(x, x)
self.l.filter(x, x == 1).size() == 1
quantity('x').isGreaterThan(quantity('y'))
quantity(1).isInteger()
quantity('1') == 1
quantity('1') + quantity('2') == quantity('3')
quantity('1').foo
isQuantity(1)
url('x').getHost() == 1
url('x').foo == 1
ip('x').family() == '4'
ip('1.2.3.4').foo == 1
cidr('1.2.3.0/24').containsIP(1)
cidr('x') == ip('x')
semver('1.2.3').major() == '1'
semver('1', 'true').major() == 1
format.dns1123Label().validate(1).hasValue()
format.named('x').value().validate('a').value() == 'x'
format.nope().validate('a').hasValue()
foo(self)
foo.bar(self)
self.foo()
self.s.foo(1).bar()
size(self.n) == 1
size(self.s, 1) == 1
self.size() == 1
nope
nope.a.b == 1
a.b.c.d(1)
self.s.size == 1
authorizer.path('/').check('get').allowed()
authorizer.requestResource.check('get').allowed()
object == self
oldSelf.nope == 1
oldSelf.s == self.s && oldSelf.n == 'a'
self == oldSelf
self == self.any
self == 1
self + self == 1
self.keyed + self.keyed == [1]
cel.bind(x, 1, x == 1)
Object{a: 1}.a == 1
JSONPatch{op: 'a'}.op == 1
self.l.map(x, y)
self.l.map(x, self.l.map(y, x + y + z)).size() == 1
true && (self.nope || self.neither.deeper)
dyn(self.s) == 1
dyn(self).nope == 1
dyn([1, 'a']).size() == 2
[dyn(1), 'a'].size() == 2
1 + 1
'a'
null
self.s == 'é' && self.nope == 1
self.s.startsWith(1) || self.s.endsWith(2) || self.s.contains(3)
jsonpatch.escapeKey('a') == 'a'
optional.of(1) == 1
optional.of(1).foo == 1
optional.of({'a': 1}).a.hasValue()
optional.of([1])[0].hasValue()
self.s[0] == 'a'
self.n[0] == 1
self[0] == 1
self['s'] == 'a'
1u + 1 == 2u
1 == 1u
1 < 1u && 1u < 1.0
1.0 % 2.0 == 1.0
'a' * 2 == 'aa'
'a' - 'a' == ''
true + false
true < false
[1] < [2]
null < null
b'a' < b'b'
type(1) < type(2)
""".strip().splitlines()
RULES += ["self.s ==\n  self.nope &&\n\tself.neither", "  self.nope", "self.nope  ", "self.s\t== self.nope"]
MESSAGES = """
self.n
self.nope
'a' + self.s
'%d'.format([self.s])
string(int('x'))
self.s.find('[')
oldSelf.s
self.either
""".strip().splitlines()


def told(answer: dict[str, Any]) -> Any:
    """The code, and what is wrong without the rule that it quotes."""
    body = answer["body"]
    causes = (body.get("details") or {}).get("causes") or ()
    shown = [(one["field"], one["reason"], _QUOTED.sub("", one["message"])) for one in causes]
    return answer["code"], [(*rest, _NAMED_AT_RANDOM.sub("selfType", text)) for *rest, text in shown]


def different(pair: Pair, ask: Ask) -> list[str]:
    real, ours = map(told, pair.ask(ask))
    return [] if real == ours else [f"real {real}", f"ours {ours}"]


def definition(*rules: dict[str, Any]) -> Ask:
    spec = {"type": "object", "properties": PARTS, "x-kubernetes-validations": list(rules)}
    schema = {"type": "object", "properties": {"spec": spec}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "types", "kind": "Typed"}
    body = {"group": "c.example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    return Ask("POST", f"{CRDS}?dryRun=All", {"metadata": {"name": "types.c.example.com"}, "spec": body})


def test_rules_are_refused_alike(pair: Pair) -> None:
    found = []
    for rule in RULES:
        found += [f"{rule}: {line}" for line in different(pair, definition({"rule": rule}))]
    for text in MESSAGES:
        rule = {"rule": "self.n > 1", "messageExpression": text}
        found += [f"message {text}: {line}" for line in different(pair, definition(rule))]
    for rule in ({"rule": "self.nope", "messageExpression": "self.neither"}, {"rule": "self.n == oldSelf.nope"}):
        found += [f"{rule}: {line}" for line in different(pair, definition({**rule, "optionalOldSelf": True}))]

    assert not found, f"{len(found)} of {len(RULES)}\n" + "\n".join(found)


ALLOWED = "authorizer.group('').resource('pods')"
EXPRESSIONS = f"""
object.spec.nope == 1
object
'a'
request.nope == 1
request.name == 1
request.kind.kind == 'a' && request.kind.resource == 'b'
request.resource.resource == 'a'
request.userInfo.groups.all(g, g == 1)
request.userInfo.extra['a'] == 'x'
request.options.foo == 1
namespaceObject.metadata.labels['a'] == 1
namespaceObject.metadata.nope == 1
namespaceObject.metadata.creationTimestamp == 'x'
namespaceObject.spec.finalizers == ['a']
params.a == 1
variables.n == 'a'
variables.s == 'a'
variables.nope == 1
variables.l.all(x, x == 'a')
variables.o.foo == 1
variables.bad == 1
authorizer.path('/healthz').check('get').allowed() == 'a'
authorizer.path(1).check('get').allowed()
authorizer.path('/healthz').allowed()
authorizer.nope
authorizer.requestResource.check('get').allowed()
authorizer.requestResource.nope
authorizer.serviceAccount('a', 'b').group('').resource('pods').check('get').reason() == 1
{ALLOWED}.subresource('log').namespace('a').name('b').fieldSelector('a=b').labelSelector('c').check('get').errored()
{ALLOWED}.check('get').error() == 1
{ALLOWED}.group('a').check('get').allowed()
authorizer == authorizer
int('x') == 1
object.a.matches('[')
[1, 'a'].size() == 1
Object{{a: 1}} == object
jsonpatch.escapeKey('a') == 'a'
""".strip().splitlines()
VARIABLES = [
    {"name": "n", "expression": "1"},
    {"name": "s", "expression": "variables.n == 1 ? 'a' : 'b'"},
    {"name": "l", "expression": "[1, 2]"},
    {"name": "o", "expression": "object"},
]
MUTATIONS = """
Object{}
Object{spec: Object.spec{replicas: 3, nope: 'a'}}
Object{?metadata: optional.of(Object.metadata{labels: {'a': 'b'}})}
Object.spec{a: 1}
Object
object
{'a': 1}
Nope{a: 1}
Object{spec: Object.spec{replicas: 3}}.spec.x == 1 ? Object{} : Object{}
Object{a: object.b + 1 == 'a'}
Object{a: nope}
[JSONPatch{op: 'add', path: '/a', value: 1}]
JSONPatch{op: 'add'}
[JSONPatch{op: 1}]
[JSONPatch{nope: 1}]
[JSONPatch{op: 'add', path: '/' + jsonpatch.escapeKey('a/b'), value: object.x}]
[]
variables.n == 1 ? [JSONPatch{op: 'a'}] : []
""".strip().splitlines()
ABOUT = {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}


def policy(kind: str, **spec: Any) -> Ask:
    body = {"metadata": {"name": "types"}, "spec": {"matchConstraints": ABOUT, **spec}}
    return Ask("POST", f"{POLICIES}/{kind}admissionpolicies?dryRun=All", body)


def test_expressions_of_policies_are_refused_alike(pair: Pair) -> None:
    found = []
    for text in EXPRESSIONS:
        for place in (
            {"validations": [{"expression": text}], "variables": VARIABLES},
            {"validations": [{"expression": text}], "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}},
            {"validations": [{"expression": "true", "messageExpression": text}], "variables": VARIABLES},
            {"auditAnnotations": [{"key": "a", "valueExpression": f" {text}"}]},
            {"matchConditions": [{"name": "a", "expression": text}], "validations": [{"expression": "true"}]},
            {"variables": [*VARIABLES, {"name": "bad", "expression": text}], "validations": [{"expression": "true"}]},
        ):
            found += [f"{place}: {line}" for line in different(pair, policy("validating", **place))]
    for text in MUTATIONS:
        for kind, key in (("ApplyConfiguration", "applyConfiguration"), ("JSONPatch", "jsonPatch")):
            one = {"patchType": kind, key: {"expression": f" {text}"}}
            spec = {"reinvocationPolicy": "Never", "mutations": [one], "variables": VARIABLES}
            found += [f"{kind} {text}: {line}" for line in different(pair, policy("mutating", **spec))]

    assert not found, f"{len(found)}\n" + "\n".join(found)
