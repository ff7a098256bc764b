"""The final states of the scenarios recorded on Argo CD, looked at in its shadow: it says what Argo CD said, and writes nothing.

A verdict is the last comparison when the look ends; on a busy machine that may be an early one, so what differs is looked at once more.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Argo CD goes on comparing with local manifests after a sync of them; we compare with Git.
_LOCAL = ["sync.status", "sync.revision", "sourceType", "resources[ConfigMap op-manifests/a].status"]
OTHERWISE = {"op-manifests": _LOCAL, "op-skip-reconcile": ["not compared"]}
APPLICATIONS = 87  # the others' are deleted in the end


@pytest.mark.slow
@pytest.mark.live
@pytest.mark.timeout(300)
@pytest.mark.parametrize("on_embedded", [True, False], ids=["embedded", "real"])
def test_the_shadow_says_what_argo_cd_said_and_writes_nothing(
    on_embedded: bool, real_programs: None, shared: Path
) -> None:
    seen = looked(on_embedded=on_embedded)
    assert seen["writes"] == []
    assert len(seen["agree"]) + len(seen["differ"]) >= APPLICATIONS
    new = [name for name in seen["differ"] if name not in OTHERWISE]
    again = looked(*new, on_embedded=on_embedded) if new else {"differ": {}}
    assert again["differ"] == {}, seen["differ"]
    for name, fields in OTHERWISE.items():
        assert [one.partition(": ")[0] for one in seen["differ"][name]] == fields


def looked(*names: str, on_embedded: bool) -> Any:
    """What the shadow said, of all of them or of these."""
    words = [
        sys.executable,
        str(Path(__file__).with_name("shadow.py")),
        *names,
        *(["--embedded"] if on_embedded else []),
    ]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
