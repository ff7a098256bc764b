"""What a rule may cost at most: loops within loops over lists that may be of any length are refused, as a real server refuses them.

A real server estimates the cost of every expression. This looks only for what exceeds its budget whatever the rest is: two nested macros
(`all`, `exists`, `map`, …) over values whose schema bounds no length anywhere. What passes is bounded when it is evaluated.
"""

import re

from kilde.kubeapi.resources.causes import Cause, forbidden
from kilde.kubeapi.resources.custom.definition import Schema
from kilde.kubeapi.resources.custom.shaping import walk

_BOUNDS = ("maxItems", "maxLength", "maxProperties", "enum")
_TOKEN = re.compile(
    r"""r?"(?:[^"\\]|\\.)*"|r?'(?:[^'\\]|\\.)*'|(\w)\s*\.\s*(?:all|exists|exists_one|map|filter)\s*\(|[()]"""
)
_DEEPEST = 1  # macros that may stand in each other
_BUDGET = (
    "exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays,"
    " maps, and strings are declared)"
)


def too_costly(rule: str, schema: Schema) -> bool:
    """Whether a rule on a value of this schema loops within loops without any bound."""
    return _nesting(rule) > _DEEPEST and not any(key in one for one in walk(schema) for key in _BOUNDS)


def _nesting(rule: str) -> int:
    """How many macros over names stand in each other at most; strings and loops over literals do not count."""
    open_: list[bool] = []
    deepest = 0
    for token in _TOKEN.finditer(rule):
        text = token.group()
        if text == ")":
            if open_:
                open_.pop()
        elif text == "(" or token.group(1):
            open_.append(text != "(")
            deepest = max(deepest, sum(open_))
    return deepest


def rule_cause(at: str) -> list[Cause]:
    """What is said of a rule that costs too much; `at` is its field."""
    total = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
    return [forbidden(at, f"estimated rule cost {_BUDGET}"), forbidden(at, total)]


def schema_cause(at: str) -> Cause:
    """What is said of the whole schema that has such a rule."""
    return forbidden(at, f"x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema {_BUDGET}")
