"""Templates of a sealed Secret: Go's text/template with sprig, bounded, without the environment, telling no sealed value.

`gotpl` renders. What sprig has to read the machine (env, expandenv, getHostByName) is not there, as in the real controller
from 0.30 on. An error is told in Go's words only if a rendering of other values of the same length fails in the same words:
then they do not depend on what is sealed.
"""

from collections.abc import Callable, Mapping
from functools import cache

from gotpl import Environment, ExecutionBudget, TemplateError, TemplateExecutionError, TemplateSyntaxError

from kilde.core.basics import template_words
from kilde.core.basics.go_templates import DEPTH, LONGEST, safe_functions, too_deep
from kilde.core.basics.template_costs import allowed
from kilde.core.secrets.opening import TemplateFailed

_BUDGET = ExecutionBudget(
    max_output_chars=LONGEST, max_iterations=100_000, max_template_depth=100, max_function_calls=10_000
)


def render(name: str, template: str, values: Mapping[str, str]) -> str:
    """What the template makes of the values. TemplateFailed."""
    if len(template) > LONGEST:
        raise TemplateFailed(f"template: {name}: is longer than {LONGEST} characters")
    if too_deep(template):
        raise TemplateFailed(f"template: {name}: is nested deeper than {DEPTH} parentheses")
    try:
        compiled = _environment().from_string(template, name=name)
    except TemplateSyntaxError as error:
        raise TemplateFailed(template_words.of_syntax(name, template, error)) from None
    except (TemplateError, RecursionError, ValueError):
        raise TemplateFailed(f"template: {name}: cannot be read") from None
    text, failed = _run(compiled.render, name, template, dict(values))
    if failed is None:
        return text
    _, other = _run(compiled.render, name, template, {key: _another(value) for key, value in values.items()})
    if other == failed:
        raise TemplateFailed(failed)
    place = failed.partition(": error calling ")[0].partition(": executing ")[0]
    raise TemplateFailed(f'{place}: executing "{name}": fails, in words that depend on a sealed value')


def _run(
    run: Callable[[dict[str, str]], str], name: str, template: str, values: dict[str, str]
) -> tuple[str, str | None]:
    """The text, or Go's words for why there is none."""
    try:
        with allowed():
            return run(values), None
    except TemplateExecutionError as error:
        return "", template_words.of_execution(name, template, error)
    except Exception as error:  # noqa: BLE001  # whatever a function of the library does with a value must not end the controller
        return "", f'template: {name}: executing "{name}": {type(error).__name__}'


def _another(value: str) -> str:
    """A value of the same length with nothing in common."""
    return "".join("y" if char == "x" else "x" for char in value)


@cache
def _environment() -> Environment:
    return Environment(functions=safe_functions(), budget=_BUDGET)
