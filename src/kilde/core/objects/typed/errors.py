"""What server-side apply refuses, with the words of a real API server."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from kilde.core.basics.errors import InvalidInput, KildeError
from kilde.core.objects.typed.field_set import Path, readable


class TypingError(InvalidInput):
    """The object does not fit its type. A server answers an apply with 500 and these words."""

    code = "typing-error"


class BadApply(InvalidInput):
    """The applied document may not be applied at all (400)."""

    code = "bad-apply"


@dataclass(frozen=True, slots=True, order=True)
class Owner:
    """Who owns fields: a manager by its operation ("Apply" or "Update"). `api_version` is "" for Apply."""

    manager: str
    operation: str
    api_version: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        text = f'"{self.manager}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return f"{text} using {self.api_version}" if self.operation == "Update" else text


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field that another manager owns with another value."""

    owner: Owner
    path: Path

    @property
    def field(self) -> str:
        """The path as people read it: `.spec.replicas`."""
        return readable(self.path)


def _place(conflict: Conflict) -> tuple[str, ...]:
    """Owners come in the order of what identifies them in JSON: the one of a sub-resource before the one of the whole."""
    owner = conflict.owner
    return owner.manager, owner.operation, owner.api_version, owner.subresource or "~"


class ApplyConflict(KildeError):
    """Fields to apply are owned by others (409). `causes` are the Status' details.causes."""

    code = "apply-conflict"

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        self.conflicts = tuple(sorted(conflicts, key=_place))  # stable: paths keep their order
        super().__init__(self._message())

    @property
    def causes(self) -> tuple[dict[str, str], ...]:
        """One cause a field."""
        return tuple(
            {"reason": "FieldManagerConflict", "message": f"conflict with {each.owner}", "field": each.field}
            for each in self.conflicts
        )

    def _message(self) -> str:
        if len(self.conflicts) == 1:
            only = self.conflicts[0]
            return f"Apply failed with 1 conflict: conflict with {only.owner}: {only.field}"
        lines: list[str] = []
        for owner, group in groupby(self.conflicts, key=lambda conflict: conflict.owner):
            lines.append(f"conflicts with {owner}:")
            lines.extend(f"- {conflict.field}" for conflict in group)
        return f"Apply failed with {len(self.conflicts)} conflicts: " + "\n".join(lines)
