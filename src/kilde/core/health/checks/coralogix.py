"""Coralogix: whether an object is in step with the service."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.judging import Judge, by_conditions, ill, well

_judge: Final = by_conditions(
    well("RemoteSynced", "Resource is ready"), ill("RemoteSynced", "False"), waiting="Waiting for status to be updated"
)

KINDS: Final[Mapping[str, Judge]] = dict.fromkeys(("Alert", "RecordingRuleGroupSet"), _judge)
