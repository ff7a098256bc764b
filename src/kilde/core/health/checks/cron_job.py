"""CronJob: well unless its last run that ended did not succeed."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, degraded, healthy, progressing


def judge(obj: Object) -> Health:
    """Argo CD's check. Times of one zone compare as texts; what ran but never succeeded may yet, so it is not ill."""
    if part(obj, "spec").get("suspend") is True:
        return healthy("CronJob is Suspended")
    if not isinstance(obj.get("status"), dict):
        return progressing("Waiting for CronJob")
    status = part(obj, "status")
    scheduled, succeeded = text(status, "lastScheduleTime"), text(status, "lastSuccessfulTime")
    if not scheduled:
        return healthy("CronJob has not been scheduled yet")
    if not succeeded:
        return healthy("The CronJob never completed successfully. It may not be healthy")
    if status.get("active"):
        return healthy("The job is running. Its last execution may not have been successful")
    if succeeded < scheduled:
        return degraded("CronJob has not completed its last execution successfully")
    return healthy("CronJob has completed its last execution successfully")
