"""CEL of device selectors: both servers refuse the same expressions, for their types, what they give and what they cost."""

import secrets

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(180)]

PATH = "/apis/resource.k8s.io/v1/deviceclasses"
_D = "device.attributes['d.example.com']"
_C = "device.capacity['d.example.com']"
_ALL = "device.attributes.all(a, "
EXPRESSIONS = [
    "device.driver == 'd'",
    "device.driver == 1",
    "device.driver",
    "device.driver.startsWith('a')",
    "device.driver.matches('(')",
    "device.nope == 1",
    "device == 1",
    "nope",
    "true",
    "1",
    "null",
    "dyn(1)",
    "device.allowMultipleAllocations",
    "device.allowMultipleAllocations == 'x'",
    "device.attributes == 1",
    "device.attributes['x'] == 1",
    "device.attributes[1].x == 1",
    "'d' in device.attributes",
    "1 in device.attributes",
    "device.attributes.d.x == 1",
    f"{_D}.x",
    f"{_D}.x == 1 && {_D}.y == 'a'",
    f"{_D}.x + 1 > 2",
    f"{_D}.x + 1",
    f"{_D}.x && {_D}.y",
    f"{_D}.x ? true : false",
    f"{_D}.x ? {_D}.y : false",
    f"{_D}.x.y == 1",
    f"{_D}.x[0] == 1",
    f"{_D}.x.nope()",
    f"{_D}.x.startsWith(1)",
    f"{_D}.x.isGreaterThan(semver('1.0.0'))",
    f"{_D}.x.isGreaterThan(1)",
    f"{_D}.x.exists(i, i == 1)",
    f"{_D}['x'] == true",
    f"{_D}[1] == true",
    f"has({_D}.x)",
    f"has({_D}.x.y)",
    f"[{_D}.x, 1, 'a'] == [1]",
    f"[{_D}.x][0]",
    f"{{'a': {_D}.x}}['a']",
    f"{_D}.?x.orValue(false)",
    f"{_D}[?'x'].orValue(1) == 1",
    f"type({_D}.x) == int",
    f"type({_D}.x)",
    f"{_D}",
    f"{_C}.m == 1",
    f"{_C}.m.isGreaterThan(quantity('1Gi'))",
    f"{_C}.m.compareTo(quantity('1Gi')) >= 0",
    f"{_C}.m.nope",
    f"{_C}.m",
    f"{_C}['m'] == quantity('1Gi')",
    f"cel.bind(d, {_D}, d.x && d.y)",
    f"cel.bind(d, {_D}, d.x == d)",
    "cel.bind(d, device.driver, d + 1)",
    f"{_ALL}{_ALL}a == 'x'))",
    f"{_ALL}{_ALL}{_ALL}{_ALL}a == 'x'))))",
    f"{_ALL}device.attributes[a].all(b, {_ALL}device.attributes[a].all(c, b == c))))",
    f"{_ALL}device.attributes[a].all(b, {_ALL}device.attributes[a].all(c, {_ALL}a.matches(c)))))",
    f"{_ALL}{_D}.x.matches('a*') || {_D}.y.contains({_D}.z))",
    f"{_ALL}a.matches({_D}.x))",
    f"{_ALL}device.attributes.all(b, a.matches({_D}.x) && b.matches({_D}.y)))",
    f"{_ALL}device.attributes.all(b, device.capacity.all(c, device.capacity[c].all(d, a.contains(b) || d.contains(c)))))",
    f"{_ALL}device.attributes[a].all(k, device.attributes[a][k] == {_D}.x))",
    f"{_ALL}{_ALL}device.driver.matches('a+b+') && device.driver.contains('x')))",
    "device.attributes.map(a, a.size()).sum() > 3",
    "device.attributes.map(a, device.attributes.map(b, a + b)).size() > 3",
    "device.attributes.exists_one(a, a == 'x') && device.capacity.filter(c, c.endsWith('x')).size() == 1",
    "",
    " ",
    "device.driver ==",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_selector_is_judged_as_by_the_real_server(pair: Pair, expression: str) -> None:
    selectors = [{"cel": {"expression": expression}}]
    body = {"metadata": {"name": f"c-{secrets.token_hex(4)}"}, "spec": {"selectors": selectors}}
    real, ours = pair.ask(Ask("POST", f"{PATH}?dryRun=All", body))

    found = differences(normal(real), normal(ours))
    assert not found, "\n".join(found)
