"""The wave an object asks for."""

import pytest

from kilde.core.plan.order import wave_of


@pytest.mark.parametrize(
    ("annotations", "wave"),
    [
        ({}, 0),
        ({"argocd.argoproj.io/sync-wave": "-5"}, -5),
        ({"argocd.argoproj.io/sync-wave": "+5"}, 5),
        ({"argocd.argoproj.io/sync-wave": "soon"}, 0),
        ({"argocd.argoproj.io/sync-wave": "1.5"}, 0),
        ({"argocd.argoproj.io/sync-wave": " 1"}, 0),
        ({"helm.sh/hook-weight": "3"}, 3),
        ({"argocd.argoproj.io/sync-wave": "1", "helm.sh/hook-weight": "3"}, 1),
        ({"argocd.argoproj.io/sync-wave": "soon", "helm.sh/hook-weight": "3"}, 3),
    ],
)
def test_the_wave_of_an_object(annotations: dict[str, str], wave: int) -> None:
    assert wave_of(annotations) == wave
