"""The steps of a rule, as the flat words that annotations have."""

from typing import Any

import pytest

from kilde.kubeapi.controllers.rule_steps import STEPS, flattened
from kilde.kubeapi.controllers.script import script_from


@pytest.mark.parametrize(
    ("step", "flat"),
    [
        ({"imagePull": "3s"}, {"pull": "3s"}),
        ({"imagePull": {"error": "ErrImageNeverPull"}}, {"pull-reason": "ErrImageNeverPull", "pull-error": ""}),
        ({"oomKill": True}, {"oom": ""}),
        ({"oomKill": {"after": "5s"}}, {"oom": "", "after": "5s"}),
        ({"exit": 3}, {"exit": "3"}),
        ({"crashLoop": True}, {"crash": "always"}),
        ({"unschedulable": False}, {}),
        ({"unschedulable": "no gpu"}, {"unschedulable": "no gpu"}),
        ({"pvcPending": True}, {"pending": ""}),
        ({"log": ["a", "b"]}, {"log": "a\nb"}),
        ({"log": {"lines": ["a"], "every": "5s"}}, {"log": "a", "log-every": "5s"}),
        ({"usage": {"cpu": "500m"}}, {"cpu": "500m"}),
        ({"nodeDown": "10s"}, {"down": "", "after": "10s"}),
        ({"nobody knows": 1}, {}),
    ],
)
def test_a_step_of_a_rule_says_what_the_annotation_would(step: dict[str, Any], flat: dict[str, str]) -> None:
    assert flattened([step]) == flat


def test_every_step_takes_true_and_makes_a_script() -> None:
    for name in STEPS:
        script_from(flattened([{name: True}]))
