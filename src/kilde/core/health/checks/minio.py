"""MinIO's Tenant: a sentence that is its state."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.health import degraded, healthy, progressing
from kilde.core.health.judging import Judge, by_word

_FAULTS: Final = (
    "Another MinIO Tenant already exists in the namespace",
    "Different versions across MinIO Pools",
    "Pool Decommissioning Not Allowed",
    "Statefulset not controlled by operator",
    "Tenant credentials are not set properly",
)

KINDS: Final[Mapping[str, Judge]] = {
    "Tenant": by_word(
        "currentState",
        {"Initialized": healthy("Initialized"), **{fault: degraded(fault) for fault in _FAULTS}},
        absent=progressing("No status info available"),
        other=progressing,
    )
}
