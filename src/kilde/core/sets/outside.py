"""Outside: what generators ask of the world. The calls are synchronous, like a Tree's; who calls runs the generators in a thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kilde.core.apps.clusters import IN_CLUSTER as SERVER
from kilde.core.apps.clusters import IN_CLUSTER_NAME as IN_CLUSTER
from kilde.core.apps.clusters import KnownCluster
from kilde.core.basics.values import Object
from kilde.core.source.tree import Tree

__all__ = ["IN_CLUSTER", "SERVER", "Answer", "AwsCall", "KnownCluster", "Outside", "Request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsCall:
    """A request to a service of AWS: who asks sends it to where that service is, signed. Empty: its own region, its own identity."""

    service: str
    region: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to a forge or a plugin. Headers may hold a token: its repr shows no value. `timeout` in seconds."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    authority: str = field(default="", repr=False)  # PEM bundle to trust beside the system's
    authority_file: str = ""  # where such a bundle lies on the machine that asks; one that cannot be read adds nothing
    insecure: bool = False  # the user said so: the certificate is not checked
    proxy: str = field(default="", repr=False)  # its URL; "": as the environment says
    timeout: float = 30.0
    aws: AwsCall | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Outside(Protocol):
    """Every failure is a KildeError; no message holds a token."""

    def tree(self, url: str, revision: str, *, project: str) -> Tree:
        """The files of a repository at a revision; `project`: whose credentials, "" where that is not known yet."""
        ...

    def clusters(self) -> Sequence[KnownCluster]:
        """Every cluster Secret, by name."""
        ...

    def request(self, request: Request) -> Answer:
        """Any status is an answer."""
        ...

    def secret(self, name: str, *, for_forge: bool = False) -> Mapping[str, str]:
        """The values of a Secret in the controller's namespace; GeneratorFailed where there is none.

        `for_forge`: in the set's own; its value is sent to an address that the set names. GeneratorFailed where the owner forbids that.
        """
        ...

    def config_map(self, name: str, *, for_forge: bool = False) -> Mapping[str, str]:
        """The values of a ConfigMap, in the same places; GeneratorFailed where there is none."""
        ...

    def objects(self, *, group: str, version: str, plural: str, name: str, selector: str) -> Sequence[Object]:
        """Objects of a kind in the controller's namespace: the one of that name, or those that a label selector matches."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...
