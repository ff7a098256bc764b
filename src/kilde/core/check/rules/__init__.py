"""The rules: one file each (or one for a family), one line each here. The order is that of `kilde check --rules`."""

from kilde.core.check.rule import Rule
from kilde.core.check.rules.conflict_markers import CONFLICT_MARKERS

RULES: tuple[Rule, ...] = (CONFLICT_MARKERS,)
