"""Ansible's jobs on a tower: the job's own status, with where to look."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, HealthStatus, progressing
from kilde.core.health.judging import Judge

_WORDS: Final = {
    "successful": HealthStatus.HEALTHY,
    **dict.fromkeys(("failed", "error", "canceled"), HealthStatus.DEGRADED),
    **dict.fromkeys(("new", "pending", "waiting", "running"), HealthStatus.PROGRESSING),
}


def job(obj: Object) -> Health:
    result = part(obj, "status", "ansibleJobResult")
    word = text(result, "status")
    if word not in _WORDS:
        return progressing("Waiting for AnsibleJob")
    return Health(_WORDS[word], f"{word} job - {text(result, 'url')}")


KINDS: Final[Mapping[str, Judge]] = {"AnsibleJob": job}
