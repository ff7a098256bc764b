"""Numbers of custom resources, and bounds that their type cannot have: as a real API server (1.36.3) told them."""

from typing import Any

import pytest

from kilde.kubeapi.resources.custom.values import check

_WHOLE = {"type": "integer"}
_MISFIT = '<nil>: Invalid value: "": {} value must be of type integer {} in n'
_DEFAULT, _SHORT = "(default format)", "with format int32"


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        ({**_WHOLE, "minimum": 1.5}, 2, [_MISFIT.format("Minimum boundary", _DEFAULT)]),
        (
            {**_WHOLE, "maximum": 1.5},
            2,
            [
                _MISFIT.format("Maximum boundary", _DEFAULT),
                "n: Invalid value: 2: n in body should be less than or equal to 1.5",
            ],
        ),
        ({**_WHOLE, "format": "int32"}, 99999999999, [_MISFIT.format("Checked", _SHORT)]),
        (
            {**_WHOLE, "format": "int32"},
            1.5,
            [
                'n: Invalid value: "float64": n in body must be of type int32: "float64"',
                _MISFIT.format("Checked", _SHORT),
            ],
        ),
        (
            {**_WHOLE, "maximum": 1000000},
            2000000.5,
            [
                'n: Invalid value: "number": n in body must be of type integer: "number"',
                _MISFIT.format("Checked", _DEFAULT),
                "n: Invalid value: 2.0000005e+06: n in body should be less than or equal to 1e+06",
            ],
        ),
        ({"type": "number", "minimum": 1.5}, 1, []),  # compared as whole numbers
        (
            {"type": "number", "multipleOf": 0.5},
            5,
            ["n: Invalid value: 0: factor MultipleOf declared for n must be positive: 0"],
        ),
        ({"type": "number", "multipleOf": 0.5}, 1.5, []),
        (
            {"type": "number", "multipleOf": 2.5},
            5,
            ["n: Invalid value: 5: n in body should be a multiple of 2"],
        ),
        (
            {"type": "number", "maximum": 1000000},
            1e22,
            ["n: Invalid value: 1e+22: n in body should be less than or equal to 1e+06"],
        ),
        ({**_WHOLE, "x-kubernetes-int-or-string": True, "minimum": 1.5}, 1, []),
    ],
)
def test_a_number_is_judged_with_its_bounds(schema: dict[str, Any], value: float, told: list[str]) -> None:
    assert [f"{cause.field}: {cause.message}" for cause in check(value, schema, "n")] == told
