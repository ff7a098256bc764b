"""Go's dump of a pod template (go-spew, `%#v`): the text that the hash in the name of a ReplicaSet is made of.

The structs are those of Kubernetes 1.36; what is not in the JSON is empty there.
"""

import base64
import functools
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kilde.core.basics.values import Json, Object

_TEMPLATE = "v1.PodTemplateSpec"
_NUMBERS = ("int32", "int64", "uint64", "intstr.Type")
_QUANTITY = re.compile(r"(-?)(?=\d)0*+(\d*+)([numkMGTPE]|[KMGTPE]i|[eE]-?\d+)?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_MOST_DIGITS, _MOST_BINARY, _WORD = 18, 14, 64


class _Field(NamedTuple):
    go: str
    json: str  # "" where it is on the level of its struct, "-" where JSON has it not
    type: str


@functools.cache
def _types() -> tuple[Mapping[str, list[_Field]], Mapping[str, str]]:
    """The structs, and what the named lists and maps are."""
    from kilde.kubeapi.resources._go_templates import PACKED  # needed once there are workloads

    structs, named = dict[str, list[_Field]](), dict[str, str]()
    for line in zlib.decompress(base64.b85decode(PACKED)).decode().splitlines():
        name, *words = line.split(" ")
        if words[0].startswith("="):
            named[name] = words[0][1:]
        else:
            structs[name] = [_Field(*word.split(":", 2)) for word in words]
    return structs, named


def of_template(template: Object) -> str:
    """The dump of a PodTemplateSpec."""
    return _dumped(_TEMPLATE, template)


def _dumped(kind: str, value: Json) -> str:
    """A value after its type."""
    if kind.startswith("*") and value is None:
        return f"({kind})<nil>"
    return f"({kind}){_bare(kind.removeprefix('*'), value)}"


def _bare(kind: str, value: Json) -> str:
    structs, named = _types()
    shape = named.get(kind, kind)
    if shape.startswith("[]"):
        return f"[{' '.join(_bare(shape[2:], one) for one in value)}]" if value else "<nil>"
    if shape.startswith("map["):
        inner = shape.partition("]")[2]
        return f"map[{' '.join(f'{key}:{_bare(inner, value[key])}' for key in sorted(value))}]" if value else "<nil>"
    if kind in _OWN and value is not None:
        return _OWN[kind](value)
    if kind in structs:
        return f"{{{' '.join(f'{one.go}:{_dumped(one.type, _within(value, one))}' for one in structs[kind])}}}"
    if kind == "bool":
        return "true" if value else "false"
    return str(value or 0) if kind in _NUMBERS else str("" if value is None else value)


def _within(value: Any, one: _Field) -> Json:
    if not isinstance(value, dict) or one.json == "-":
        return None
    return value if not one.json else value.get(one.json)


def _int_or_string(value: Json) -> str:
    is_text = isinstance(value, str)
    number, text = (0, value) if is_text else (value, "")
    return f"{{Type:(intstr.Type){int(is_text)} IntVal:(int32){number} StrVal:(string){text}}}"


def _quantity(value: Json) -> str:
    """As it is parsed: exact where that is fast, and with its text where that needs no second look."""
    found = _QUANTITY.fullmatch(str(value))
    if found is None:
        return str(value)
    sign, digits, suffix = found[1], found[2] or "0", found[3] or ""
    if suffix in _BINARY:
        form, exponent, scale = "BinarySI", _BINARY[suffix], 0
        fast = len(digits) + int(exponent * 3 / 10) <= _MOST_BINARY
        kept = exponent % 10 == 0 and int(digits) % 8 != 0
    else:
        form = "DecimalExponent" if suffix[:1] in ("e", "E") and len(suffix) > 1 else "DecimalSI"
        exponent, scale = 0, int(suffix[1:]) if form == "DecimalExponent" else _DECIMAL[suffix]
        fast = len(digits) <= _MOST_DIGITS
        kept = scale % 3 == 0 and not digits.endswith("000")
    amount = int(sign + digits) << exponent
    held, exact = (amount, "<nil>") if fast else (0, _exact(amount, scale))
    return (
        f"{{i:(resource.int64Amount){{value:(int64){held} scale:(resource.Scale){scale if fast else 0}}}"
        f" d:(resource.infDecAmount){{Dec:(*inf.Dec){exact}}}"
        f" s:(string){value if fast and kept else ''} Format:(resource.Format){form}}}"
    )


def _exact(amount: int, scale: int) -> str:
    """A number of any size, in billionths."""
    left, words = abs(amount) * 10 ** (scale + 9), []
    while left:
        words.append(str(left & ((1 << _WORD) - 1)))
        left >>= _WORD
    sign = "true" if amount < 0 else "false"
    return f"{{unscaled:(big.Int){{neg:(bool){sign} abs:(big.nat)[{' '.join(words)}]}} scale:(inf.Scale)9}}"


_OWN: Mapping[str, Callable[[Json], str]] = {"intstr.IntOrString": _int_or_string, "resource.Quantity": _quantity}
