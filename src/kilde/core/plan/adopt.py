"""Adoption: the JSON patch (RFC 6902) that makes what Git wants say what somebody has changed in the cluster by hand.

Only fields that Git has are looked at: a field that a person added beside them is no drift, and nothing would take it away.
"""

from typing import Any

from kilde.core.basics.values import Json, Object

_KEYS = ("name", "key", "containerPort", "port", "mountPath", "devicePath", "ip", "type", "uid", "topologyKey")
Operation = dict[str, Any]


def operations(wanted: Object, predicted: Object, live: Object) -> list[Operation]:
    """`predicted` is what an apply of `wanted` would store; where `live` is otherwise its value is taken over. In an order that works."""
    changes: list[Operation] = []
    removals: list[Operation] = []
    _map(wanted, predicted, live, "", changes, removals)
    return [*changes, *reversed(removals)]  # from the end of each list on, so that places stay what they are


def _map(
    wanted: Object, predicted: Object, live: Object, at: str, changes: list[Operation], removals: list[Operation]
) -> None:
    for key, value in wanted.items():
        path = f"{at}/{key.replace('~', '~0').replace('/', '~1')}"
        if key not in predicted or (key in live and predicted[key] == live[key]):
            continue
        if key not in live:
            removals.append({"op": "remove", "path": path})
        else:
            _value(value, predicted[key], live[key], path, changes, removals)


def _value(
    wanted: Json, predicted: Json, live: Json, path: str, changes: list[Operation], removals: list[Operation]
) -> None:
    if predicted == live:
        return
    if isinstance(wanted, dict) and isinstance(predicted, dict) and isinstance(live, dict):
        _map(wanted, predicted, live, path, changes, removals)
        return
    if isinstance(wanted, list) and isinstance(predicted, list) and isinstance(live, list):
        key = _key_of(wanted, predicted, live)
        if key:
            foreseen, there = ({one[key]: one for one in side} for side in (predicted, live))
            for place, item in enumerate(wanted):
                name = item[key]
                if name not in there:
                    removals.append({"op": "remove", "path": f"{path}/{place}"})
                elif name in foreseen:
                    _map(item, foreseen[name], there[name], f"{path}/{place}", changes, removals)
            return
    changes.append({"op": "replace", "path": path, "value": live})


def _key_of(*sides: list[Any]) -> str:
    """The field that tells the items of all sides apart; "" where there is none."""
    for key in _KEYS:
        if all(
            side
            and all(isinstance(item, dict) and isinstance(item.get(key), (str, int)) for item in side)
            and len({item[key] for item in side}) == len(side)
            for side in sides
        ):
            return key
    return ""
