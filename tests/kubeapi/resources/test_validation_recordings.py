"""Built-in kinds judged as a real server judged them: the recorded cases, without HTTP."""

from typing import Any

import pytest


@pytest.mark.parametrize_area("validation")
def test_an_object_is_judged_as_by_a_real_server(scenario: dict[str, Any], pure_server: Any, judged: Any) -> None:
    if scenario["name"] == "validation/name-generate-too-long":
        pytest.skip("the recording hides the last five characters of what was sent")
    for ours, theirs in judged(pure_server, scenario):
        assert ours == theirs
