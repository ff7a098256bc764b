"""Conversions: kinds that are kept in one version and served in several of different shapes. CONVERSIONS is the registry."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kilde.core.basics.values import Object
from kilde.core.objects.defaults import apply_defaults
from kilde.kubeapi.resources.conversions import autoscalers, events


class Conversion(NamedTuple):
    """How a served version becomes the one of `kept`, and how it is made of that again.

    `defaulted` gives an object the defaults of its own version. `judged` tells whether it is valid as what is kept, or as it was sent.
    """

    kept: str
    to_stored: Callable[[Object], Object]
    from_stored: Callable[[Object], Object]
    defaulted: Callable[[Object], Object]
    judged: bool = True


CONVERSIONS: Mapping[tuple[str, str], Conversion] = {
    ("autoscaling/v1", "HorizontalPodAutoscaler"): Conversion(
        autoscalers.V2, autoscalers.to_v2, autoscalers.to_v1, autoscalers.defaulted
    ),
    ("autoscaling/v2", "HorizontalPodAutoscaler"): Conversion(
        autoscalers.V2, autoscalers.to_v2, autoscalers.to_v2, apply_defaults
    ),
    ("v1", "Event"): Conversion(events.CORE, events.to_core, events.to_core, apply_defaults, judged=False),
    ("events.k8s.io/v1", "Event"): Conversion(
        events.CORE, events.to_core, events.to_newer, apply_defaults, judged=False
    ),
}

__all__ = ["CONVERSIONS", "Conversion"]
