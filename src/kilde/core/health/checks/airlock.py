"""Airlock Microgateway: policies by what each gateway above them says; what is no policy reports nothing and is well."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import text
from kilde.core.health.health import Health, healthy
from kilde.core.health.judging import Judge, by_ancestors


def judge(obj: Object) -> Health:
    kind = text(obj, "kind")
    if not kind.endswith("Policy"):
        return healthy(f"{kind} is healthy")
    return by_ancestors(kind, is_strict=True)(obj)


KINDS: Final[Mapping[str, Judge]] = {"_": judge}
