"""Call: one request as the verbs see it, whether it came over HTTP or from a controller in this process."""

from dataclasses import dataclass, field

from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic.options import MANAGER_LENGTH, WriteOptions
from kilde.kubeapi.webhooks.questions import Memory


@dataclass(frozen=True, slots=True)
class User:
    """Who asks: name and groups, as RBAC sees them."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def master(self) -> bool:
        """Whether every right is theirs."""
        return "system:masters" in self.groups


ADMIN = User("kilde-admin", ("system:masters", "system:authenticated"))


@dataclass(frozen=True, slots=True)
class Call:
    """Which object of which kind, by whom, with which options. `warnings` gathers what the answer warns of."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    options: WriteOptions = field(default_factory=WriteOptions)
    user: User = ADMIN
    agent: str = ""
    warnings: list[str] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)

    @property
    def manager(self) -> str:
        """The field manager: what the request says, else the first word of the User-Agent."""
        if self.options.manager:
            return self.options.manager
        word = self.agent.partition("/")[0]
        return "".join(letter for letter in word if letter.isprintable())[:MANAGER_LENGTH] or "unknown"

    def warn(self, text: str) -> None:
        """Adds a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)
