"""1Password's items: Ready or not."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.judging import Judge, ready

KINDS: Final[Mapping[str, Judge]] = {"OnePasswordItem": ready("Waiting for controller to report status")}
