"""Chance, and random parts that objects of many kinds have: mostly what a server takes, sometimes what it must refuse."""

import random
from collections.abc import Callable
from typing import Any

Object = dict[str, Any]
LABELS = ("app", "tier", "example.com/team")


class Dice(random.Random):
    """Chance with words for what shapes need."""

    def maybe(self, likely: float = 0.5) -> bool:
        return self.random() < likely

    def one(self, *options: Any) -> Any:
        return self.choice(options)

    def odd(self, good: Any, *bad: Any, likely: float = 0.06) -> Any:
        """Mostly the good value."""
        return self.choice(bad) if self.maybe(likely) else good

    def some(self, **fields: Any) -> Object:
        """A part of these fields; callables are asked."""
        return {name: value() if callable(value) else value for name, value in fields.items() if self.maybe()}

    def few(self, most: int, make: Callable[[int], Any]) -> list[Any]:
        return [make(number) for number in range(self.randint(0, most))]


def labels(dice: Dice) -> Object:
    return {
        name: dice.odd(dice.one("a", "b", "web"), "not valid!", "x" * 64, 7, None, likely=0.03)
        for name in LABELS
        if dice.maybe(0.4)
    }


def meta(dice: Dice, name: str) -> Object:
    found: Object = {"name": name}
    if dice.maybe(0.4):
        found["labels"] = labels(dice)
    if dice.maybe(0.3):
        found["annotations"] = {"note": dice.odd(dice.one("one", "two"), 5, "", likely=0.1), **dice.some(other="x")}
    if dice.maybe(0.1):
        found["finalizers"] = [dice.odd(dice.one("example.com/a", "example.com/b"), "bad", likely=0.2)]
    if dice.maybe(0.05):
        owner = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": "o",
            "uid": dice.odd("11111111-1111-1111-1111-111111111111", ""),
        }
        found["ownerReferences"] = [owner | dice.some(controller=True, blockOwnerDeletion=True)]
    return found


def quantity(dice: Dice) -> Any:
    return dice.odd(dice.one("100m", "0.1", "1", 1, "64Mi", "1Gi", "1024", "1e3"), "abc", "-1", "", None)


def resources(dice: Dice) -> Object:
    return dice.some(
        requests={name: quantity(dice) for name in ("cpu", "memory") if dice.maybe()},
        limits={name: quantity(dice) for name in ("cpu", "memory", "ephemeral-storage") if dice.maybe(0.4)},
    )


def port_number(dice: Dice) -> Any:
    return dice.odd(dice.one(80, 443, 8080), 0, 70000, -1, "http", likely=0.05)


def percent(dice: Dice) -> Any:
    return dice.odd(dice.one(1, 0, "25%", "100%"), "abc", -1, "200%", "5", likely=0.1)


def selector(dice: Dice) -> Object:
    return dice.odd(
        {"matchLabels": {"app": "a"}},
        {},
        {"matchLabels": {"app": "b"}},
        {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
    )


def claim_spec(dice: Dice) -> Object:
    return {
        "accessModes": [dice.odd("ReadWriteOnce", "X", "ReadWriteMany")],
        "resources": {"requests": {"storage": dice.odd("1Gi", "0", "x", "-1")}},
    } | dice.some(
        storageClassName=dice.odd("fast", "", "Bad!"),
        volumeMode=dice.odd("Block", "X"),
        selector={"matchLabels": {"a": "b"}},
        volumeName="v",
        dataSource={"kind": "PersistentVolumeClaim", "name": "x"},
    )
