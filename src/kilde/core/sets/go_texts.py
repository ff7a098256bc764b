"""GoTexts: Go's templates of ApplicationSets (sprig, bounded, blind to the machine). Loaded by the first set that has some."""

import re
from collections.abc import Callable
from typing import Any

from gotpl import Environment, ExecutionBudget, Template, TemplateError, TemplateExecutionError, TemplateSyntaxError

from kilde.core.basics import template_words
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.go_templates import DEPTH, LONGEST, safe_functions, too_deep
from kilde.core.basics.template_costs import ONE_TEXT, allowed, paid
from kilde.core.objects.yaml_writer import write_document
from kilde.core.sets.failures import MissingParameter, TemplateFailed
from kilde.core.sets.naming import normalized, slugify
from kilde.core.sets.parameters import Parameters
from kilde.core.sets.texts import MissingKey, read_yaml, short

_BUDGET = ExecutionBudget(
    max_output_chars=LONGEST, max_iterations=100_000, max_template_depth=100, max_function_calls=10_000
)
_ALL_TEXTS = 64 << 20  # what the functions of all texts of a set may cost
_TPL_DEPTH = 3  # of `tpl` in `tpl`, as Argo CD bounds it
_MISSING = re.compile(r"missing key or attribute '([^']*)'")
_NAME = "base"  # what Argo CD's templates are called in Go's errors


class GoTexts:
    """Fills the Go templates of one set."""

    def __init__(self) -> None:
        self._environments: dict[MissingKey, Environment] = {}
        self._compiled: dict[tuple[str, MissingKey], Template] = {}
        self._left, self._depth = _ALL_TEXTS, 0

    def text(self, template: str, parameters: Parameters, missing: MissingKey) -> str:
        """The text. MissingParameter, TemplateFailed."""
        try:
            with allowed(min(ONE_TEXT, max(0, self._left))) as allowance:
                try:
                    return self._template(template, missing).render(parameters)
                finally:
                    self._left -= allowance.spent
        except TemplateExecutionError as error:
            words = template_words.of_execution(_NAME, template, error)
            kind = MissingParameter if _MISSING.search(words) else TemplateFailed
            words = _MISSING.sub(r'map has no entry for key "\1"', words)
            raise kind(f"failed to execute go template {short(template)}: {words}") from None
        except (InvalidInput, RecursionError, MemoryError) as error:
            if isinstance(error, InvalidInput):
                raise
            raise TemplateFailed(f"failed to execute go template {short(template)}: it goes too deep") from None
        except Exception as error:  # noqa: BLE001  # whatever a function of the library does with a value must not end the controller
            raise TemplateFailed(
                f"failed to execute go template {short(template)}: {type(error).__name__}: {str(error)[:200]}"
            ) from None

    def _template(self, template: str, missing: MissingKey) -> Template:
        known = self._compiled.get((template, missing))
        if known is None:
            known = self._compiled[template, missing] = self._compile(template, missing)
        return known

    def _compile(self, template: str, missing: MissingKey) -> Template:
        if len(template) > LONGEST:
            raise TemplateFailed(f"a template is longer than {LONGEST} characters")
        if too_deep(template):
            raise TemplateFailed(f"a template is nested deeper than {DEPTH} parentheses")
        try:
            return self._environment(missing).from_string(template, name=_NAME)
        except TemplateSyntaxError as error:
            words = template_words.of_syntax(_NAME, template, error)
            raise TemplateFailed(f"failed to parse template {short(template)}: {words}") from None
        except (TemplateError, RecursionError, ValueError):
            raise TemplateFailed(f"failed to parse template {short(template)}") from None

    def _environment(self, missing: MissingKey) -> Environment:
        if missing not in self._environments:
            own = {**_OWN, "tpl": lambda text, values: self._tpl(text, values, missing)}
            functions = {**safe_functions(), **{name: paid(name, function) for name, function in own.items()}}
            self._environments[missing] = Environment(functions=functions, budget=_BUDGET, missing_key=missing)
        return self._environments[missing]

    def _tpl(self, text: str, values: Any, missing: MissingKey) -> str:
        if self._depth >= _TPL_DEPTH:
            raise TemplateFailed(f"maximum recursion depth {_TPL_DEPTH} exceeded in tpl function")
        self._depth += 1
        try:
            return self._template(text, missing).render(values).replace("<no value>", "")
        finally:
            self._depth -= 1


def _to_yaml(value: Any) -> str:
    return write_document(_whole(value)).removesuffix("\n")


def _whole(value: Any) -> Any:
    """Floats that are whole numbers as JSON writes them: without a point."""
    if isinstance(value, dict):
        return {str(key): _whole(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole(child) for child in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e21 else value


def _from_yaml(text: str) -> Any:
    found = read_yaml(text)
    if not isinstance(found, dict | None):
        raise TypeError("json: cannot unmarshal into Go value of type map[string]interface {}")
    return found or {}


def _from_yaml_array(text: str) -> Any:
    found = read_yaml(text)
    if not isinstance(found, list | None):
        raise TypeError("json: cannot unmarshal into Go value of type []interface {}")
    return found or []


_OWN: dict[str, Callable[..., object]] = {
    "normalize": normalized,
    "slugify": slugify,
    "toYaml": _to_yaml,
    "fromYaml": _from_yaml,
    "fromYamlArray": _from_yaml_array,
}
