"""What is wrong with the steps of a RollingSync, told in Argo CD's words: the gravest kind only."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Problems:
    """Steps count from 0 here, from 1 in words."""

    operators: list[tuple[int, str]] = field(default_factory=list)
    repeated: dict[str, list[int]] = field(default_factory=dict)
    maxima: list[tuple[int, str]] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)

    def operator(self, step: int, operator: str) -> None:
        if (step, operator) not in self.operators:
            self.operators.append((step, operator))

    def maximum(self, step: int, value: str) -> None:
        if (step, value) not in self.maxima:
            self.maxima.append((step, value))

    def words(self) -> str:
        """ "" where nothing is wrong."""
        if self.operators:
            steps, found = _steps(step for step, _ in self.operators), ", ".join(word for _, word in self.operators)
            have = "Step {} has" if len(self.operators) == 1 else "Steps {} have"
            return f"{have.format(steps)} invalid matchExpression operators: {found}. Supported Operators are 'In' and 'NotIn'"
        if self.repeated:
            return self._repeated()
        if self.maxima:
            steps, found = _steps(step for step, _ in self.maxima), ", ".join(value for _, value in self.maxima)
            if len(self.maxima) == 1:
                return f"Step {steps} has an invalid maxUpdate value: {found}"
            return f"Steps {steps} have invalid maxUpdate values: [{found}]"
        if self.empty:
            steps = " ".join(str(step + 1) for step in self.empty)
            return f"Steps [{steps}] have no applications matching their criteria"
        return ""

    def _repeated(self) -> str:
        names = sorted(self.repeated)
        steps = ["-".join(str(step + 1) for step in self.repeated[name]) for name in names]
        if len(names) == 1:
            return f"Application '{names[0]}' is selected by multiple steps: ({steps[0]})"
        told = "', '".join(names)
        return f"Applications '{told}' are selected by multiple steps: [({'), ('.join(steps)})]"


def _steps(found: Iterable[int]) -> str:
    return ", ".join(str(step + 1) for step in found)
