"""CEL when it is evaluated: both servers give the same answers, the same errors and the same word of what costs too much."""

import time
from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import PATIENCE, Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
POLICIES = "/apis/admissionregistration.k8s.io/v1"
TEXT: dict[str, Any] = {"type": "string", "maxLength": 50}
NUMBER: dict[str, Any] = {"type": "integer"}
FIELDS: dict[str, Any] = {
    "s": TEXT,
    "n": NUMBER,
    "d": {"type": "number"},
    "when": {"type": "string", "format": "date-time"},
    "long": {"type": "string", "format": "duration"},
    "raw": {"type": "string", "format": "byte", "maxLength": 50},
    "either": {"x-kubernetes-int-or-string": True},
    "l": {"type": "array", "maxItems": 5, "items": TEXT},
    "set": {"type": "array", "maxItems": 5, "items": TEXT, "x-kubernetes-list-type": "set"},
    "keyed": {
        "type": "array",
        "maxItems": 5,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "required": ["name"], "properties": {"name": TEXT, "n": NUMBER}},
    },
    "m": {"type": "object", "maxProperties": 5, "additionalProperties": NUMBER},
    "a-b.c": TEXT,
}
SPEC: dict[str, Any] = {
    "s": "hello world",
    "n": 7,
    "d": 2,
    "when": "2024-02-29T13:14:15.678Z",
    "long": "90s",
    "raw": "YWJj",
    "either": 5,
    "l": ["a", "bb", "ccc"],
    "set": ["x", "y"],
    "keyed": [{"name": "one", "n": 1}, {"name": "two", "n": 2}],
    "m": {"x": 1, "y": 2},
    "a-b.c": "odd",
}
VALUES = """
self.n / 2
-self.n % 4
self.d + 0.5
self.n * 9223372036854775807
self.n / 0
self.d * 1e300
string(self.d * 1000000.5)
self.s + self.a__dash__b__dot__c
self.s.split(' ').map(w, w.size())
self.s.substring(3, 99)
self.s.charAt(4)
self.s.replace('o', '0', 1)
self.s.indexOf('o', 5)
self.s.lastIndexOf('o')
self.s.find('[a-z]+')
self.s.findAll('o.')
self.l[9]
self.m['nope']
self.m.map(k, k).size()
self.l.sortBy(x, -x.size())
self.l.transformList(i, v, v.size() + i)
self.m.transformMap(k, v, v * 2)
self.m.transformMapEntry(k, v, {v: k})
self.l.slice(1, 3)
self.l.reverse()
self.l.first().value()
lists.range(4)
[[1, 2], [3]].flatten()
self.l.max()
self.keyed.map(k, k.n).sum()
self.keyed.filter(k, k.n > 5).map(k, k.n).min()
self.when
self.when.getFullYear()
self.when.getHours('America/New_York')
self.when + self.long
self.long
self.long.getSeconds()
string(self.raw)
self.either + 1
self.?s.orValue('none')
self.?keyed[?7].hasValue()
int(self.s)
duration(self.s)
'%s %d %.2f %e %x'.format([self.s, self.n, self.d, self.d, self.n])
'%s'.format([self.m])
'%s'.format([self.l])
quantity(self.s).isInteger()
quantity('1500m').add(quantity('1')).isGreaterThan(quantity('2'))
quantity('1Gi').asInteger()
semver('1.2.3-a.1').compareTo(semver('1.2.3-a.b'))
semver('v1.2', true).minor()
semver(self.s).major()
isSemver(self.s)
url('https://user@ex.com:80/a%20b?x=1').getHost()
url('https://ex.com/a b').getEscapedPath()
url(self.s).getHost()
ip('1.2.3.4').family()
ip(self.s).family()
ip('fe80::1').isLinkLocalUnicast()
cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')
string(cidr('10.1.2.3/8').masked())
cidr(self.s).prefixLength()
format.dns1123Label().validate(self.s).value()
format.qualifiedName().validate('a/b/c').value()
format.named('uuid').hasValue()
""".strip().splitlines()
TRUTHS = """
self.s == 'hello world' && self.n > 3
self.n == 1 || self.l[7] == 'x'
self.l[7] == 'x' || self.n == 7
self.l[7] == 'x' && self.n == 8
self.l.all(x, x.size() < 3)
self.l.all(x, x.size() < 9 || x.charAt(20) == 'x')
self.l.exists(x, x.charAt(2) == 'c')
self.l.exists_one(x, x.size() == 1)
self.l.all(i, v, v.size() == i + 1)
self.set == ['y', 'x']
self.set + ['x', 'z'] == ['z', 'y', 'x']
self.keyed == self.keyed.map(k, k)
sets.contains(self.l, ['a', 'zz'])
sets.intersects(self.set, ['y'])
sets.equivalent(self.set, ['y', 'x', 'x'])
self.d > self.n
self.s.matches('^h.*d$')
self.s in ['a', 'hello world']
'x' in self.m
self.either == 'x'
self.either.startsWith('x')
has(self.m.x) && !has(self.m.z)
self.when > timestamp('2024-01-01T00:00:00Z')
self.raw == b'abc'
self.long == duration('1m30s')
type(self.n) == int && type(self.s) == string
optional.of(self.n).optMap(x, x + 1).value() == 8
ip.isCanonical('2001:DB8::1')
isURL(self.s) || isIP(self.s) || isCIDR(self.s)
""".strip().splitlines()


def install(pair: Pair, name: str, spec: dict[str, Any]) -> str:
    """Makes a CRD on both, and gives the path of its objects."""
    schema = {"type": "object", "properties": {"spec": spec}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    body = {
        "group": "expressions.example.com",
        "scope": "Cluster",
        "names": {"plural": name, "singular": name, "kind": name.capitalize()},
        "versions": [version],
    }
    crd = {"metadata": {"name": f"{name}.expressions.example.com"}, "spec": body}
    pair.set_up(Ask("POST", CRDS, crd))
    pair.await_established(f"{CRDS}/{name}.expressions.example.com")
    path = f"/apis/expressions.example.com/v1/{name}"
    pair.await_served(path)
    return path


def thing(path: str, spec: dict[str, Any]) -> Ask:
    kind = path.rpartition("/")[2].capitalize()
    body = {"apiVersion": "expressions.example.com/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec}
    return Ask("POST", f"{path}?dryRun=All", body)


def judged_alike(pair: Pair, *asks: Ask) -> None:
    found = []
    for ask in asks:
        real, ours = pair.ask(ask)
        found += [f"{ask}: {line}" for line in differences(normal(real), normal(ours))]
    assert not found, "\n".join(found)


def test_values_and_errors_are_the_same(pair: Pair) -> None:
    rules = [
        {"rule": f"'%s'.format([{text}]) == 'never'", "messageExpression": f"'{number} %s'.format([{text}])"}
        for number, text in enumerate(VALUES)
    ]
    rules += [{"rule": text, "message": f"no: {text}"} for text in TRUTHS]
    path = install(pair, "answers", {"type": "object", "properties": FIELDS, "x-kubernetes-validations": rules})
    judged_alike(pair, thing(path, SPEC))


NESTED = "self.l.all(a, self.l.all(b, a + b >= 0))"
"""About six for each pair of items, and as much again for each item."""


def test_what_costs_too_much_is_ended_in_the_same_words(pair: Pair) -> None:
    numbers = {"type": "array", "items": {**NUMBER, "maximum": 999_999}, "maxItems": 1100}
    rule = {"rule": NESTED.replace("self.l", "self")}
    told = {"rule": "self.size() < 1", "messageExpression": f"{rule['rule']} ? 'yes' : 'no'"}
    fields = {
        "one": {**numbers, "x-kubernetes-validations": [rule, {"rule": "false"}]},
        "told": {**numbers, "x-kubernetes-validations": [told, {"rule": "false"}]},
        "many": {
            "type": "array",
            "maxItems": 20,
            "items": {**numbers, "maxItems": 250, "x-kubernetes-validations": [rule, rule]},
        },
    }
    path = install(pair, "costs", {"type": "object", "properties": fields})
    judged_alike(
        pair,
        *(thing(path, {field: list(range(1100))}) for field in ("one", "told")),
        thing(path, {"one": list(range(100)), "told": list(range(100))}),
        thing(path, {"many": [list(range(250))] * 20}),
    )


COSTLY = "[{0}].all(a, object.data.all(k, object.data.all(j, object.data[k] != object.data[j] || k == j)))"
ABOUT_A_MAP = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
# what a policy's spec has, with a word that tells it apart
SPECS: dict[str, dict[str, Any]] = {
    "one": {"validations": [{"expression": COSTLY.format("1, 2, 3")}, {"expression": "false", "message": "other"}]},
    "variables": {
        "variables": [{"name": f"v{number}", "expression": COSTLY.format("1, 2")} for number in range(14)],
        "validations": [{"expression": " && ".join(f"variables.v{number}" for number in range(14))}],
    },
    "conditions": {
        "matchConditions": [{"name": f"c{number}", "expression": COSTLY.format("1, 2")} for number in range(4)],
        "validations": [{"expression": "false", "message": "asked"}],
    },
    "failing": {
        "variables": [{"name": "x", "expression": "object.data['nope']"}],
        "validations": [{"expression": "variables.x == 'a'"}],
    },
    "values": {
        "validations": [
            {"expression": "false", "messageExpression": "'%s'.format([sets.contains(['a'], ['a'])])"},
        ]
    },
}


@pytest.mark.parametrize("word", SPECS)
def test_policies_that_cost_too_much_deny_in_the_same_words(pair: Pair, namespace: str, word: str) -> None:
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    constraints = {"matchConstraints": {**here, "resourceRules": [ABOUT_A_MAP]}}
    name = {"name": f"{namespace}-{word}"}
    spec = {"failurePolicy": "Fail", **constraints, **SPECS[word]}
    seen = {**constraints, "validations": [{"expression": "object.metadata.name != 'probe'"}]}
    for about, judges in ((name, spec), ({"name": f"{name['name']}-seen"}, seen)):
        binding = {"policyName": about["name"], "validationActions": ["Deny"]}
        pair.set_up(
            Ask("POST", f"{POLICIES}/validatingadmissionpolicies", {"metadata": about, "spec": judges}),
            Ask("POST", f"{POLICIES}/validatingadmissionpolicybindings", {"metadata": about, "spec": binding}),
        )
    data = {f"k{number:03d}": f"v{number}" for number in range(220)}
    ask = Ask("POST", f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "a"}, "data": data})
    probe = Ask(
        "POST", f"{ask.path}?dryRun=All", {"metadata": {"name": "probe"}, "data": {"nope": "b"}}
    )  # which costs little
    until = time.monotonic() + PATIENCE
    while pair.real.ask(probe)["code"] < 300:  # the real server learns of policies a little later, of both at once
        assert time.monotonic() < until, "the policy is not seen"
        time.sleep(0.1)
    judged_alike(pair, ask)
