"""Medusa for Cassandra: backups and tasks, by who has finished and who has failed."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part
from kilde.core.health.health import HEALTHY, Health, degraded, progressing, unknown
from kilde.core.health.judging import Judge


def _kind(waiting: str, *, may_fail_late: bool) -> Judge:
    def judge(obj: Object) -> Health:
        status = part(obj, "status")
        if not isinstance(obj.get("status"), dict):
            return unknown("No status object")
        if status.get("observedGeneration") is None:
            return unknown("No observedGeneration")
        if status["observedGeneration"] != part(obj, "metadata").get("generation"):
            return progressing("observedGeneration is not equal to generation")
        finished, has_failed = status.get("finished"), status.get("failed") is not None
        if has_failed and (finished is None or may_fail_late):
            return degraded("Failed nodes exist")
        return progressing(waiting) if finished is None else HEALTHY if finished else progressing("")

    return judge


KINDS: Final[Mapping[str, Judge]] = {
    "MedusaBackupJob": _kind("Status not known yet", may_fail_late=False),
    "MedusaTask": _kind("", may_fail_late=True),
}
