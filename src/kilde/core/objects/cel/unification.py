"""Unification: whether one type can stand for another, and what the checker's variables then mean (cel-go, checker/types.go)."""

from collections.abc import Sequence

from kilde.core.objects.cel.types import DYN, Type, is_optional, param

_NULLABLE = frozenset(("opaque", "struct", "duration", "timestamp"))


class Meanings:
    """What the variables of the checker have been found to be. What an attempt that fails has found is forgotten."""

    def __init__(self) -> None:
        self._known: dict[str, Type] = {}
        self._trail: list[tuple[str, Type | None]] = []
        self._made = 0

    def new(self) -> Type:
        """A variable of which nothing is known."""
        self._made += 1
        return param(f"_var{self._made - 1}")

    def fits(self, one: Type, other: Type) -> bool:
        """Whether the two agree."""
        return self.all_fit((one,), (other,))

    def all_fit(self, ones: Sequence[Type], others: Sequence[Type]) -> bool:
        """The same of each pair."""
        began = len(self._trail)
        if self._all_agree(ones, others):
            return True
        while len(self._trail) > began:
            name, before = self._trail.pop()
            if before is None:
                del self._known[name]
            else:
                self._known[name] = before
        return False

    def resolved(self, one: Type, *, closed: bool = False) -> Type:
        """With its variables replaced by what they mean; `closed`: those that mean nothing yet by any type."""
        if one.kind == "param":
            known = self._known.get(one.name)
            if known is not None:
                return self.resolved(known, closed=closed)
            return DYN if closed else one
        if not one.params:
            return one
        return one._replace(params=tuple(self.resolved(each, closed=closed) for each in one.params))

    def _all_agree(self, ones: Sequence[Type], others: Sequence[Type]) -> bool:
        return len(ones) == len(others) and all(map(self._agree, ones, others))

    def _agree(self, one: Type, other: Type) -> bool:
        if other.kind == "param":
            valid, known = self._means(one, other)
            if valid or known:
                return valid
        if one.kind == "param":
            return self._means(other, one)[0]
        if one.is_open or other.is_open:
            return True
        if "null" in (one.kind, other.kind):
            rest = other if one.kind == "null" else one
            return rest.kind == "null" or rest.kind in _NULLABLE
        if one.kind == other.kind == "type":
            return True
        return (one.kind, one.name) == (other.kind, other.name) and self._all_agree(one.params, other.params)

    def _means(self, one: Type, variable: Type) -> tuple[bool, bool]:
        """Whether the variable can mean this type; and whether it meant something before."""
        if one == variable:
            return True, True
        known = self._known.get(variable.name)
        if known is None:
            if not self._free_of(variable, one):
                return False, False
            self._put(variable, one)
            return True, False
        if one == known:
            return True, True
        if not self._agree(one, known):
            return False, True
        wider = one if is_wider(one, known) else known
        if self._free_of(variable, wider):
            self._put(variable, wider)
        return True, True

    def _put(self, variable: Type, meaning: Type) -> None:
        self._trail.append((variable.name, self._known.get(variable.name)))
        self._known[variable.name] = meaning

    def _free_of(self, variable: Type, within: Type) -> bool:
        if variable == within:
            return False
        if within.kind == "param":
            known = self._known.get(within.name)
            return known is None or self._free_of(variable, known)
        return all(self._free_of(variable, each) for each in within.params)


def is_wider(one: Type, other: Type) -> bool:
    """Whether the first is the second or says less than it."""
    if one.kind in ("dyn", "any", "param"):
        return True
    if other.kind in ("dyn", "any", "param") or one.kind != other.kind:
        return False
    if one.kind == "type":
        return True
    same = one.name == other.name and len(one.params) == len(other.params)
    return same and all(map(is_wider, one.params, other.params))


def unwrapped(one: Type) -> tuple[Type, bool]:
    """What an optional type holds; and whether it was one."""
    return (one.params[0], True) if is_optional(one) else (one, False)
