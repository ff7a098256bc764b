"""The wave an object asks for."""

import re
from collections.abc import Mapping

WAVE_ANNOTATION = "argocd.argoproj.io/sync-wave"
_HELM_WEIGHT = "helm.sh/hook-weight"
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def wave_of(annotations: Mapping[str, str]) -> int:
    """Argo CD's sync-wave, or else Helm's hook-weight; what is no whole number counts as 0, as in Argo CD."""
    for name in (WAVE_ANNOTATION, _HELM_WEIGHT):
        text = annotations.get(name, "")
        if _WHOLE.fullmatch(text):
            return int(text)
    return 0
