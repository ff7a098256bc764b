"""An operation as the status repeats it: Argo CD's structs leave out what is empty."""

from typing import Any

import pytest

from kilde.core.apps.status import told_operation

NOBODY: dict[str, Any] = {"initiatedBy": {}, "retry": {}}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"sync": {}}, {**NOBODY, "sync": {}}),
        ({"retry": {"limit": 0}}, NOBODY),
        ({"retry": {"limit": -1, "refresh": False}}, {**NOBODY, "retry": {"limit": -1}}),
        ({"initiatedBy": {"username": "ann", "automated": False}}, {**NOBODY, "initiatedBy": {"username": "ann"}}),
        (
            {"sync": {"prune": False, "dryRun": True, "syncStrategy": {"hook": {"force": False}}}},
            {**NOBODY, "sync": {"dryRun": True, "syncStrategy": {"hook": {}}}},
        ),
        (
            {"sync": {"resources": [{"group": "", "kind": "ConfigMap", "name": "a"}], "syncOptions": []}},
            {**NOBODY, "sync": {"resources": [{"kind": "ConfigMap", "name": "a"}]}},
        ),
        (
            {"sync": {"source": {"repoURL": "x", "directory": {"recurse": False}}}},
            {**NOBODY, "sync": {"source": {"repoURL": "x", "directory": {"recurse": False}}}},
        ),
    ],
)
def test_what_is_empty_is_left_out(asked: dict[str, Any], told: dict[str, Any]) -> None:
    assert told_operation(asked) == told
