"""CEL: compiles and evaluates the expressions of rules, with Kubernetes' own functions.

The engine is cel-cpp (cel-expr-python, the extra `cel`). It ends any expression after ten thousand iterations, so a rule cannot hold up
the server. Where it is not installed, `available()` says so and rules are not evaluated.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json
from kilde.core.objects.cel_tree import Tree, read
from kilde.core.objects.quantity import Quantity, parse

try:
    from cel_expr_python import cel as _cel  # type: ignore[import-untyped, import-not-found, unused-ignore]
    from cel_expr_python.ext import (  # type: ignore[import-untyped, import-not-found, unused-ignore]
        ext_bindings,
        ext_encoders,
        ext_math,
        ext_optional,
        ext_strings,
    )
except ImportError:  # the extra is not installed
    _cel = None

_HOLDER = "oldSelfHolder"
_OLD_SELF = re.compile(r"\boldSelf\b")
# Kubernetes' libraries that are not here: sets, semver, named formats, lists of two variables, …
_LACKING = re.compile(
    r"undeclared reference to '(sets|semver|isSemver|format|named|flatten|slice|sort|sortBy|distinct|range|reverse|indexOf|lastIndexOf"
    r"|transformList|transformMap|transformMapEntry|authorizer|validate|major|minor|patch|masked|ip|isCanonical|includes)\b"
)
_POSITIONED = re.compile(r" \[[A-Z_]+\]$")


class BadExpression(InvalidInput):
    """An expression does not compile."""

    code = "bad-expression"

    @property
    def is_ours(self) -> bool:
        """Whether a real server may well compile it: it uses a library that we lack, or types that only it knows."""
        return "found no matching overload" in self.what or _LACKING.search(self.what) is not None


class EvaluationFailed(InvalidInput):
    """An expression has no value for these variables; `what` is in the words of Kubernetes."""

    code = "evaluation-failed"


class Expression:
    """A compiled expression."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    @property
    def gives(self) -> str:
        """The type of its value: BOOL, STRING, …, DYN where it is known only at evaluation."""
        return str(self._compiled.return_type().name())

    @property
    def tree(self) -> Tree:
        """What it is made of."""
        return read(self._compiled.serialize())

    def run(self, data: Mapping[str, Json]) -> Json:
        """Its value for these variables. EvaluationFailed."""
        try:
            found = self._compiled.eval(data=dict(data))
        except RuntimeError as error:
            raise EvaluationFailed(_worded(_POSITIONED.sub("", str(error)))) from error
        if found.type().name() == "ERROR":
            raise EvaluationFailed(_worded(str(found.plain_value())))
        return found.plain_value()


class Rule(Expression):
    """A compiled expression over `self` and `oldSelf`."""

    def __init__(self, compiled: Any, *, optional_old: bool) -> None:
        super().__init__(compiled)
        self._optional_old = optional_old

    def evaluate(self, value: Json, old: Json = None) -> Json:
        """Its value. `old` None is no old value, where the expression takes it as optional. EvaluationFailed."""
        if self._optional_old:
            return self.run({"self": value, _HOLDER: {} if old is None else {"value": old}})
        return self.run({"self": value, "oldSelf": old})


def available() -> bool:
    """Whether rules can be evaluated here."""
    return _cel is not None


def uses_old(rule: str) -> bool:
    """Whether a rule looks at what was there before."""
    return _OLD_SELF.search(rule) is not None


@lru_cache(maxsize=1024)
def compiled(rule: str, kind: str, *, optional_old: bool = False) -> Rule:
    """The expression of a rule. `kind` is the type of self ("STRING", "MAP", …). BadExpression if it does not compile."""
    text = f"cel.bind(oldSelf, {_HOLDER}.?value, {rule})" if optional_old else rule
    variables = (("self", kind), (_HOLDER, "DYN") if optional_old else ("oldSelf", kind))
    return Rule(_compile(text, variables), optional_old=optional_old)


@lru_cache(maxsize=1024)
def tree_of(rule: str, kind: str, *, optional_old: bool = False) -> Tree:
    """What the expression of a rule is made of. BadExpression if it does not compile."""
    if not optional_old:
        return compiled(rule, kind).tree
    return Expression(_compile(rule, (("self", kind), ("oldSelf", "DYN")))).tree


@lru_cache(maxsize=1024)
def expression(text: str, variables: tuple[str, ...]) -> Expression:
    """An expression over variables of any type. BadExpression if it does not compile."""
    return Expression(_compile(text, tuple((name, "DYN") for name in variables)))


def _compile(text: str, variables: tuple[tuple[str, str], ...]) -> Any:
    try:
        return _environment(variables).compile(text)
    except RuntimeError as error:
        raise BadExpression(_as_told(_POSITIONED.sub("", str(error).removeprefix("INVALID_ARGUMENT: ")))) from error


_UNDECLARED = re.compile(r"<input>:(\d+):(\d+): undeclared reference to '([^'.]+)\.([^']*)'(.*\n \| .*\n \| )\.*\^")


def _as_told(text: str) -> str:
    """What a real server says: of an unknown `a.b.c` it names `a`, where it stands; an empty text has no first column."""
    found = _UNDECLARED.search(text)
    if found is not None:
        line, column, first, rest, source = found.groups()
        start = int(column) - len(f"{first}.{rest}".rpartition(".")[0])
        told = f"<input>:{line}:{start}: undeclared reference to '{first}'{source}{'.' * (start - 1)}^"
        text = text[: found.start()] + told + text[found.end() :]
    return text.replace(
        "<input>:1:1: Syntax error: mismatched input '<EOF>'", "<input>:1:0: Syntax error: mismatched input '<EOF>'"
    )


@cache
def _environment(variables: tuple[tuple[str, str], ...]) -> Any:
    types = {"LIST": _cel.Type.List(_cel.Type.DYN), "MAP": _cel.Type.Map(_cel.Type.STRING, _cel.Type.DYN)}
    extensions = [
        ext_strings.ExtStrings(),
        ext_math.ExtMath(),
        ext_optional.ExtOptional(),
        ext_bindings.ExtBindings(),
        ext_encoders.ExtEncoders(),
    ]
    known = {name: types.get(kind) or getattr(_cel.Type, kind) for name, kind in variables}
    return _cel.NewEnv(variables=known, extensions=extensions, functions=list(_functions()))


_WORDS = (
    (re.compile(r'^NOT_FOUND: Key not found in map : "?(.*?)"?$'), r"no such key: \1"),
    (re.compile(r"^INVALID_ARGUMENT: divide by zero$"), "division by zero"),
    (re.compile(r"^UNKNOWN: No matching overloads found : .*$"), "no such overload"),
    (re.compile(r"^[A-Z_]+: "), ""),
)


def _worded(text: str) -> str:
    for pattern, words in _WORDS:
        if pattern.search(text):
            return pattern.sub(words, text, count=1)
    return text


def _holds(check: Callable[[str], object]) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        try:
            check(text)
        except (ValueError, InvalidInput):
            return False
        return True

    return holds


def _url(text: str) -> str:
    parts = urlsplit(text)
    if not parts.scheme and not text.startswith("/"):
        raise ValueError(f"URL parse error during conversion from string: parse {text!r}: invalid URI for request")
    return text


def _compare(a: str, b: str) -> int:
    left, right = parse(a).value, parse(b).value
    return (left > right) - (left < right)


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found.group() if found else ""


def _added(a: str, b: Any) -> str:
    return _text(parse(a).value + parse(str(b)).value)


def _subtracted(a: str, b: Any) -> str:
    return _text(parse(a).value - parse(str(b)).value)


def _text(value: Any) -> str:
    return str(int(value)) if value == int(value) else str(float(value))


def _is_integer(text: str) -> bool:
    value: Quantity = parse(text)
    return value.value.denominator == 1


# name → (member?, parameter types, type of the value, what it does). Quantities, URLs and addresses are carried as their texts.
_MEMBERS: Mapping[str, tuple[tuple[str, ...], str, Callable[..., Any]]] = {
    "isSorted": (("LIST",), "BOOL", lambda items: list(items) == sorted(items)),
    "sum": (("LIST",), "DYN", sum),
    "min": (("LIST",), "DYN", min),
    "max": (("LIST",), "DYN", max),
    "find": (("STRING", "STRING"), "STRING", _find),
    "findAll": (("STRING", "STRING"), "LIST", lambda text, pattern: re.findall(pattern, text)),
    "getScheme": (("STRING",), "STRING", lambda text: urlsplit(text).scheme),
    "getHost": (("STRING",), "STRING", lambda text: urlsplit(text).netloc),
    "getHostname": (("STRING",), "STRING", lambda text: urlsplit(text).hostname or ""),
    "getPort": (("STRING",), "STRING", lambda text: str(urlsplit(text).port or "")),
    "getEscapedPath": (("STRING",), "STRING", lambda text: urlsplit(text).path),
    "isGreaterThan": (("STRING", "STRING"), "BOOL", lambda a, b: _compare(a, b) > 0),
    "isLessThan": (("STRING", "STRING"), "BOOL", lambda a, b: _compare(a, b) < 0),
    "compareTo": (("STRING", "STRING"), "INT", _compare),
    "sign": (("STRING",), "INT", lambda a: _compare(a, "0")),
    "isInteger": (("STRING",), "BOOL", _is_integer),
    "asInteger": (("STRING",), "INT", lambda text: int(parse(text).value)),
    "asApproximateFloat": (("STRING",), "DOUBLE", lambda text: float(parse(text).value)),
    "add": (("STRING", "STRING"), "STRING", _added),
    "sub": (("STRING", "STRING"), "STRING", _subtracted),
    "family": (("STRING",), "INT", lambda text: ip_address(text).version),
    "isLoopback": (("STRING",), "BOOL", lambda text: ip_address(text).is_loopback),
    "isUnspecified": (("STRING",), "BOOL", lambda text: ip_address(text).is_unspecified),
    "containsIP": (("STRING", "STRING"), "BOOL", lambda net, ip: ip_address(ip) in ip_network(net, strict=False)),
    "prefixLength": (("STRING",), "INT", lambda text: ip_network(text, strict=False).prefixlen),
}
_GLOBALS: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "quantity": ("STRING", lambda text: parse(text).text),
    "isQuantity": ("BOOL", _holds(parse)),
    "url": ("STRING", _url),
    "isURL": ("BOOL", _holds(_url)),
    "ip": ("STRING", lambda text: str(ip_address(text))),
    "isIP": ("BOOL", _holds(ip_address)),
    "cidr": ("STRING", lambda text: str(ip_network(text, strict=False))),
    "isCIDR": ("BOOL", _holds(lambda text: ip_network(text if "/" in text else "", strict=False))),
}


def _functions() -> Sequence[Any]:
    def kind(name: str) -> Any:
        return _cel.Type.List(_cel.Type.DYN) if name == "LIST" else getattr(_cel.Type, name)

    def overload(name: str, takes: Sequence[str], gives: str, does: Callable[..., Any], *, member: bool) -> Any:
        identity = f"kube_{name}_{'_'.join(takes).lower()}"
        parameters = [kind(one) for one in takes]
        one = _cel.Overload(id=identity, return_type=kind(gives), parameters=parameters, is_member=member, impl=does)
        return _cel.FunctionDecl(name, [one])

    members = [overload(name, takes, gives, does, member=True) for name, (takes, gives, does) in _MEMBERS.items()]
    return [
        *members,
        *(overload(name, ("STRING",), gives, does, member=False) for name, (gives, does) in _GLOBALS.items()),
    ]
