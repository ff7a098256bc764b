"""The Grafana operator: instances by stage, dashboards and folders by their conditions."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import HEALTHY, Health, HealthStatus, degraded, progressing
from kilde.core.health.judging import Judge


def grafana(obj: Object) -> Health:
    status = part(obj, "status")
    stage, outcome = text(status, "stage"), status.get("stageStatus")
    if outcome is None:
        return progressing("Waiting for Grafana status info")
    if outcome == "failed":
        return degraded(f"Failed at stage {stage}")
    return HEALTHY if (stage, outcome) == ("complete", "success") else progressing(stage)


def _row(*bad_when_true: str) -> Judge:
    def judge(obj: Object) -> Health:
        """All that is said up to what is bad, in one line."""
        told, verdict = "", HealthStatus.PROGRESSING
        for item in conditions(obj):
            if item.get("status") is None:
                continue
            kind, answer = text(item, "type"), text(item, "status")
            told += (", " if told else "") + _words(item)
            if answer == ("True" if kind in bad_when_true else "False"):
                return degraded(told)
            if answer == "True":
                verdict = HealthStatus.HEALTHY
        return Health(verdict, told)

    return judge


def _words(item: Object) -> str:
    words = ""
    for key, before in (("reason", ""), ("type", " for "), ("message", " because ")):
        if not isinstance(item.get(key), str):
            break
        words += before + text(item, key)
    return words


def datasource(obj: Object) -> Health:
    status = part(obj, "status")
    if not isinstance(obj.get("status"), dict) or status.get("uid") == "":
        return progressing("")
    is_alone = status.get("NoMatchingInstances") not in (None, False)
    return degraded("can't find matching grafana instance") if is_alone else HEALTHY


KINDS: Final[Mapping[str, Judge]] = {
    "Grafana": grafana,
    "GrafanaDashboard": _row(),
    "GrafanaDatasource": datasource,
    "GrafanaFolder": _row("FolderUIDMismatch"),
}
