"""HookPolicy: one policy of deleting hooks, and at which moments it deletes them."""

from dataclasses import dataclass
from enum import Enum, auto


class Moment(Enum):
    """When hooks can be deleted."""

    BEFORE_CREATION = auto()  # one of that name is there when it is to be made
    SYNC_SUCCEEDED = auto()  # at the end; of a deletion's hooks: when none of the phase is ill
    SYNC_FAILED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class HookPolicy:
    """`name` in Argo CD's annotation, `helm` in Helm's ("": in that there is none)."""

    name: str
    helm: str = ""
    moments: frozenset[Moment]
