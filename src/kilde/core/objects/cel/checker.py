"""Checker: reads an expression and finds its types. This is cel-cpp (cel-expr-python, the extra `cel`); what it reads is evaluated here.

The functions of Kubernetes are declared to it; none of them is called by it.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.cel.named_formats import FORMATS

try:
    from cel_expr_python import cel as _cel  # type: ignore[import-untyped, import-not-found, unused-ignore]
except ImportError:  # the extra is not installed
    _cel = None

_LIBRARIES = ("optional", "sets", "lists", "two-var-comprehensions")
_ORDERS = {"_<_": "less", "_<=_": "less_equals", "_>_": "greater", "_>=_": "greater_equals"}
_OURS = "".join(f'  - name: "{name}"\n' for name in ("string", *_ORDERS))  # declared anew, for more types
_CONFIG = f"name: kubernetes\nstdlib:\n  exclude_functions:\n{_OURS}extensions:\n"
_LACKING = re.compile(r"undeclared reference to '(authorizer)\b")  # Kubernetes' library that is not here
_POSITIONED = re.compile(r" \[[A-Z_]+\]$")
_UNDECLARED = re.compile(r"<input>:(\d+):(\d+): undeclared reference to '([^'.]+)\.([^']*)'(.*\n \| .*\n \| )\.*\^")
_WORDS = {"int": "int64", "uint": "uint64"}
_PLAIN = ("BOOL", "INT", "UINT", "DOUBLE", "STRING", "BYTES", "TIMESTAMP", "DURATION")
_OPAQUE = {
    "quantity": "kubernetes.Quantity",
    "url": "kubernetes.URL",
    "ip": "net.IP",
    "cidr": "net.CIDR",
    "semver": "kubernetes.Semver",
    "format": "kubernetes.NamedFormat",
}
# name → (parameter types, type of the value), the target first. "*" is a list, map or value of any type.
_MEMBERS: tuple[tuple[str, str, str], ...] = (
    ("isSorted", "list", "bool"),
    *((name, "list", "*") for name in ("sum", "min", "max")),
    *(
        (name, of, "int")
        for name in ("indexOf", "lastIndexOf")
        for of in ("list *", "string string", "string string int")
    ),
    ("charAt", "string int", "string"),
    *((name, "string", "string") for name in ("lowerAscii", "upperAscii", "trim")),
    *(("replace", of, "string") for of in ("string string string", "string string string int")),
    *(("split", of, "strings") for of in ("string string", "string string int")),
    *(("substring", of, "string") for of in ("string int", "string int int")),
    *(("join", of, "string") for of in ("strings", "strings string")),
    ("format", "string list", "string"),
    ("find", "string string", "string"),
    ("findAll", "string string", "strings"),
    ("findAll", "string string int", "strings"),
    *((name, "url", "string") for name in ("getScheme", "getHost", "getHostname", "getPort", "getEscapedPath")),
    ("getQuery", "url", "map"),
    *((name, f"{of} {of}", "bool") for of in ("quantity", "semver") for name in ("isGreaterThan", "isLessThan")),
    *(("compareTo", f"{of} {of}", "int") for of in ("quantity", "semver")),
    ("asApproximateFloat", "quantity", "double"),
    ("asInteger", "quantity", "int"),
    ("isInteger", "quantity", "bool"),
    *((name, f"quantity {of}", "quantity") for name in ("add", "sub") for of in ("quantity", "int")),
    *((name, "semver", "int") for name in ("major", "minor", "patch")),
    ("family", "ip", "int"),
    *((f"is{name}", "ip", "bool") for name in ("Unspecified", "Loopback", "GlobalUnicast")),
    *((f"isLinkLocal{name}", "ip", "bool") for name in ("Multicast", "Unicast")),
    *(("containsIP", f"cidr {of}", "bool") for of in ("string", "ip")),
    *(("containsCIDR", f"cidr {of}", "bool") for of in ("string", "cidr")),
    ("ip", "cidr", "ip"),
    ("prefixLength", "cidr", "int"),
    ("masked", "cidr", "cidr"),
    ("validate", "format string", "*"),  # an optional one
    ("unwrapOpt", "list", "list"),
)
_NUMBERS = ("int", "uint", "double")
_ORDERED = (*((one, one) for one in ("bool", "string", "bytes", "timestamp", "duration")),)
_ORDERED += (*((one, other) for one in _NUMBERS for other in _NUMBERS),)
_GLOBALS: tuple[tuple[str, str, str], ...] = (
    *((name, "string", name) for name in ("quantity", "url", "ip", "cidr", "semver")),
    *((name, "string", "bool") for name in ("isQuantity", "isURL", "isIP", "isCIDR", "isSemver", "ip.isCanonical")),
    ("semver", "string bool", "semver"),
    ("isSemver", "string bool", "bool"),
    ("sign", "quantity", "int"),
    ("strings.quote", "string", "string"),
    *(("string", of, "string") for of in ("ip", "cidr", "bool", "int", "uint", "double", "string", "bytes")),
    *(("string", of, "string") for of in ("timestamp", "duration")),
    ("format.named", "string", "*"),  # an optional one
    *((f"format.{name}", "", "format") for name in FORMATS),
    ("optional.unwrap", "list", "list"),
    *((name, f"{one} {other}", "bool") for name in _ORDERS for one, other in _ORDERED),
)


class BadExpression(InvalidInput):
    """An expression does not compile."""

    code = "bad-expression"

    @property
    def is_ours(self) -> bool:
        """Whether a real server may well compile it: it uses a library that we lack, or types that only it knows."""
        return "found no matching overload" in self.what or _LACKING.search(self.what) is not None


def available() -> bool:
    """Whether expressions can be read here."""
    return _cel is not None


def checked(text: str, variables: tuple[tuple[str, str], ...], *, binds: bool = False) -> Any:
    """The expression as the checker has it; `variables` are names and types ("STRING", "MAP", …, "DYN"). BadExpression.

    `binds`: it may use `cel.bind`, which Kubernetes does not know.
    """
    try:
        return _environment(variables, binds).compile(text)
    except RuntimeError as error:
        raise BadExpression(_as_told(_POSITIONED.sub("", str(error).removeprefix("INVALID_ARGUMENT: ")))) from error


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
def _environment(variables: tuple[tuple[str, str], ...], binds: bool) -> Any:
    libraries = (*_LIBRARIES, "bindings") if binds else _LIBRARIES
    config = _cel.NewEnvConfigFromYaml(_CONFIG + "".join(f"- name: {name}\n" for name in libraries))
    dyn = _cel.Type.DYN
    types = {"LIST": _cel.Type.List(dyn), "MAP": _cel.Type.Map(_cel.Type.STRING, dyn)}
    known = {name: types.get(kind) or getattr(_cel.Type, kind) for name, kind in variables}
    return _cel.NewEnv(config=config, variables=known, functions=list(_functions()))


def _functions() -> Iterator[Any]:
    made: dict[str, list[Any]] = {}
    kinds = _kinds()
    for table, member in ((_MEMBERS, True), (_GLOBALS, False)):
        for name, takes, gives in table:
            identity = _identity(name, takes, member=member)
            parameters = [kinds[one] for one in takes.split()]
            made.setdefault(name, []).append(
                _cel.Overload(identity, kinds[gives], parameters=parameters, is_member=member, impl=_never)
            )
    return (_cel.FunctionDecl(name, overloads) for name, overloads in made.items())


def _identity(name: str, takes: str, *, member: bool) -> str:
    """The name of an overload; of the one that has a cost of its own as it is called elsewhere."""
    if (name, takes) == ("string", "bytes"):
        return "bytes_to_string"
    if name in _ORDERS:
        one, other = (_WORDS.get(kind, kind) for kind in takes.split())
        return "_".join((_ORDERS[name], one) if one == other else (_ORDERS[name], one, other))
    return "_".join(("kube", "member" if member else "global", name, *takes.replace("*", "any").split()))


def _kinds() -> Mapping[str, Any]:
    dyn, text = _cel.Type.DYN, _cel.Type.STRING
    plain = {name.lower(): getattr(_cel.Type, name) for name in _PLAIN}
    opaque = {name: _cel.Type.AbstractType(word, []) for name, word in _OPAQUE.items()}
    nested = {"list": _cel.Type.List(dyn), "strings": _cel.Type.List(text)}
    return {**plain, **opaque, **nested, "*": dyn, "map": _cel.Type.Map(text, _cel.Type.List(text))}


def _never(*_: Any) -> Any:
    raise NotImplementedError
