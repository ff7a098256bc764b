"""Schemas: what tells whether an object fits its type: the kinds of a Kubernetes version and those of CRDs. Built by wiring."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kilde.core.basics.values import Object


@dataclass(frozen=True, slots=True)
class Misfit:
    """What an API server would refuse: the field as it writes it (`spec.ports[0].port`, "" the whole), and why, without secrets."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Fit:
    """What is wrong with an object, and what a server would warn of."""

    misfits: Sequence[Misfit] = ()
    warnings: Sequence[str] = ()


class Schemas(Protocol):
    """The kinds that the target cluster knows."""

    @property
    def version(self) -> str:
        """The Kubernetes version, as "1.36"."""
        ...

    def judge(self, body: Object) -> Fit | None:
        """None: no schema of its kind is known."""
        ...


class NoSchemas:
    """Knows no kind."""

    version = ""

    def judge(self, body: Object) -> Fit | None:
        del body
        return None
