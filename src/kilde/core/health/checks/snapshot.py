"""Snapshots of volumes and their contents: ready to use, or an error."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, said


def judge(obj: Object) -> Health:
    status = part(obj, "status")
    if status.get("readyToUse") is True:
        return healthy("Ready to use")
    error = part(status, "error")
    return degraded(said(error)) if status.get("error") is not None else progressing("Waiting for status")


KINDS: Final[Mapping[str, Judge]] = dict.fromkeys(("VolumeSnapshot", "VolumeSnapshotContent"), judge)
