"""The sync options: a file for each that has a say in what is written or whether; the others are words that other parts ask for."""

from collections.abc import Sequence
from dataclasses import replace

from kilde.core.basics.reading import did_you_mean
from kilde.core.basics.values import Object
from kilde.core.plan.options import client_side_apply_migration, fail_on_shared_resource, respect_ignore_differences
from kilde.core.plan.options.option import Condition, SyncOption, Writing
from kilde.core.plan.policy import Options

__all__ = ["KNOWN_OPTIONS", "OPTIONS", "SyncOption", "Writing", "owned_before", "refusal", "unknown_options", "written"]

_WORDS = (
    "ApplyOutOfSyncOnly", "CreateNamespace", "Delete", "Force", "Prune", "PruneLast", "PrunePropagationPolicy", "Replace",
    "ServerSideApply", "SkipDryRunOnMissingResource", "Validate",
)  # fmt: skip
OPTIONS: tuple[SyncOption, ...] = (
    client_side_apply_migration.OPTION,
    fail_on_shared_resource.OPTION,
    respect_ignore_differences.OPTION,
    *(SyncOption(name=word) for word in _WORDS),
)
KNOWN_OPTIONS = tuple(sorted(option.name for option in OPTIONS))


def written(at: Writing) -> Object:
    """What is written of an object that is there."""
    body = at.wanted
    for option in OPTIONS:
        body = option.manifest(replace(at, wanted=body)) if option.manifest is not None else body
    return body


def owned_before(at: Writing) -> list[Object] | None:
    """The managedFields that an object needs before it is applied; None where it has them."""
    found = (option.ownership(at) for option in OPTIONS if option.ownership is not None)
    return next((managed for managed in found if managed is not None), None)


def refusal(asked: Options, conditions: Sequence[Condition]) -> str:
    """Why an operation with these options ends before it begins; "" where it begins."""
    on = [option for option in OPTIONS if option.refusal and asked.is_on(option.name)]
    return next((text for option in on if option.refusal and (text := option.refusal(conditions))), "")


def unknown_options(options: Options) -> list[str]:
    """A sentence for each option that nobody knows, and for each that has no value."""
    told = []
    for name, equals, _ in (word.partition("=") for word in options.words):
        if name not in KNOWN_OPTIONS:
            told.append(f"sync option '{name}' is not known{did_you_mean(name, KNOWN_OPTIONS)}")
        elif not equals:
            told.append(f"sync option '{name}' has no value, and no effect: write '{name}=true'")
    return told
