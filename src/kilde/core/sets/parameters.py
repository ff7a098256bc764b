"""Parameters: what generators give and templates take; flattened, merged and combined as Argo CD does it.

Numbers are Go's float64, since Argo CD reads them from JSON into `any`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from kilde.core.basics.errors import LimitExceeded
from kilde.core.objects.yaml_writer import go_shortest
from kilde.core.sets.failures import GeneratorFailed

Parameters = dict[str, Any]

MOST = 10_000
"""Parameter sets of one generator, and Applications of one set."""
_DEPTH = 100


class Texts(list[str]):
    """A list that Go knows as []string: a selector after the generator sees it as one value, not item by item."""


def bounded(found: list[Parameters]) -> list[Parameters]:
    """The same; LimitExceeded where there are more than anything honest."""
    if len(found) > MOST:
        raise LimitExceeded(
            f"a generator gives {len(found)} parameter sets, more than {MOST}", hint="split the ApplicationSet"
        )
    return found


def as_go(value: Any, depth: int = 0) -> Any:
    """JSON as Go reads it into `any`: every number a float64."""
    if depth > _DEPTH:
        raise LimitExceeded(f"parameters are nested deeper than {_DEPTH} levels")
    if isinstance(value, dict):
        return {str(key): as_go(child, depth + 1) for key, child in value.items()}
    if isinstance(value, list):
        return [as_go(child, depth + 1) for child in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def printed(value: Any) -> str:
    """Go's `%v`."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return go_shortest(value)
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{printed(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(printed(child) for child in value) + "]"
    return str(value)


def flattened(value: Mapping[str, Any]) -> dict[str, str]:
    """`a.b.0: text` for every leaf; empty maps and lists leave nothing (jeremywohl/flatten, dot style)."""
    out: dict[str, str] = {}
    _flatten(value, "", out)
    return out


def _flatten(value: Any, prefix: str, out: dict[str, str]) -> None:
    if isinstance(value, Texts) or not isinstance(value, (dict, list)):
        out[prefix] = printed(value)
        return
    pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in pairs:
        _flatten(child, f"{prefix}.{key}" if prefix else str(key), out)


def combined(first: Parameters, second: Parameters) -> Parameters:
    """Two flat parameter sets as one. GeneratorFailed where both have a name with different values."""
    out = {key: printed(value) for key, value in first.items()}
    for key, value in ((key, printed(value)) for key, value in second.items()):
        if out.get(key, value) != value:
            raise GeneratorFailed(f"found duplicate key {key} with different value, a: {out[key]} ,b: {value}")
        out[key] = value
    return dict(out)


def overridden(below: Parameters, above: Mapping[str, Any]) -> Parameters:
    """`below` with `above` laid over it; maps merge, an empty map above leaves what is below (mergo.WithOverride)."""
    out = dict(below)
    for key, value in above.items():
        have = out.get(key)
        if isinstance(value, dict) and isinstance(have, dict):
            out[key] = overridden(have, value) if value else have
        else:
            out[key] = value
    return out


def filled(own: Any, rest: Any) -> Any:
    """`own` with what it leaves out, or empty, from `rest` (mergo.Merge of two templates)."""
    if isinstance(own, dict) and isinstance(rest, dict):
        out = dict(own)
        for key, value in rest.items():
            whole = key == "valuesObject" and not _is_empty(out.get(key))  # bytes in Go: all or nothing
            out[key] = out[key] if whole else filled(out.get(key), value)
        return out
    return rest if _is_empty(own) else own


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", 0, False, [], {})
