"""PersistentVolumeClaim: its phase tells."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import HEALTHY, Health, degraded, progressing, unknown


def judge(obj: Object) -> Health:
    """Argo CD's getPVCHealth: Lost, Pending, Bound; no phase yet is Unknown."""
    verdicts = {"Lost": degraded(""), "Pending": progressing(""), "Bound": HEALTHY}
    return verdicts.get(text(part(obj, "status"), "phase"), unknown(""))
