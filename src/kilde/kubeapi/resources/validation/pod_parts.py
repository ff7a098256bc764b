"""What the containers of a pod refer to: its volumes, claims and the rules it sets for all of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PodParts:
    """A pod as its containers know it; `block` are the volumes that may be devices, `grace` the seconds it has to end."""

    volumes: frozenset[str]
    block: frozenset[str] = frozenset()
    claims: frozenset[str] = frozenset()
    host_users: bool = True
    restart: str = ""
    grace: int | None = None
