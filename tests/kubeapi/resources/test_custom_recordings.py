"""Custom resources judged as a real server judged them: the recorded cases, without HTTP."""

from typing import Any

import pytest


@pytest.mark.parametrize_area("crd")
def test_a_custom_resource_is_judged_as_by_a_real_server(
    scenario: dict[str, Any], pure_server: Any, judged: Any
) -> None:
    if "bad-cel" in scenario["name"]:
        pytest.importorskip("cel_expr_python", reason="the extra cel is not installed")
    for ours, theirs in judged(pure_server, scenario):
        assert ours == theirs


@pytest.mark.parametrize_area("cel")
def test_a_rule_is_judged_as_by_a_real_server(scenario: dict[str, Any], pure_server: Any, judged: Any) -> None:
    pytest.importorskip("cel_expr_python", reason="the extra cel is not installed")
    for ours, theirs in judged(pure_server, scenario):
        assert ours == theirs
