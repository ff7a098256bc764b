"""Apache Camel K's Integration: Ready."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.judging import Judge, ready

KINDS: Final[Mapping[str, Judge]] = {"Integration": ready("Waiting for Integration")}
