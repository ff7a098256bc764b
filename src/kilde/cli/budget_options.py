"""The deletion budgets as options: of `kilde up`, which keeps them, and of `kilde plan`, which judges by them."""

from collections.abc import Callable
from typing import Any

import click

from kilde.cli.parameters import DELETION_BUDGET, FLEET_DELETION_BUDGET

Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def deletion_budget_option(told: str) -> Option:
    """Of one application, as `deletion_budget`; `told` is its help."""
    return click.option(
        "--deletion-budget",
        type=DELETION_BUDGET,
        metavar="N,P%",
        envvar="KILDE_DELETION_BUDGET",
        default="5,10%",
        show_default=True,
        help=told,
    )


def fleet_budget_option(told: str) -> Option:
    """Of all applications together, as `fleet_budget`."""
    return click.option(
        "--fleet-deletion-budget",
        "fleet_budget",
        type=FLEET_DELETION_BUDGET,
        metavar="N,P%/TIME",
        envvar="KILDE_FLEET_DELETION_BUDGET",
        default="20,5%/10m",
        show_default=True,
        help=told,
    )
