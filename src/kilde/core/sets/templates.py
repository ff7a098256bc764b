"""Templates of ApplicationSets: Go's (sprig, bounded, blind to the machine) and the older `{{name}}`, filled in texts and whole objects."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from gotpl import Environment, ExecutionBudget, Template, TemplateError, TemplateExecutionError, TemplateSyntaxError

from kilde.core.basics import template_words
from kilde.core.basics.errors import InvalidInput, LimitExceeded
from kilde.core.basics.go_templates import DEPTH, LONGEST, safe_functions, too_deep
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_writer import write_document
from kilde.core.sets.failures import MissingParameter, TemplateFailed
from kilde.core.sets.naming import normalized, slugify
from kilde.core.sets.parameters import Parameters, as_go

_BUDGET = ExecutionBudget(
    max_output_chars=LONGEST, max_iterations=100_000, max_template_depth=100, max_function_calls=10_000
)
_MOST_TEXT = 64 << 20  # characters that one set may make in all
_MOST_KEYS = 5  # calls of functions that take up to a second
_SLOW = (
    "bcrypt", "buildCustomCert", "derivePassword", "genCA", "genCAWithKey", "genPrivateKey", "genSelfSignedCert",
    "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "htpasswd",
)  # fmt: skip
_TPL_DEPTH = 3  # of `tpl` in `tpl`, as Argo CD bounds it
_OBJECT_DEPTH = 100
_TAG_ON_A_LINE = re.compile(r"\{\{.*\}\}")
_MISSING = re.compile(r"missing key or attribute '([^']*)'")
_NAME = "base"  # what Argo CD's templates are called in Go's errors
MissingKey = Literal["default", "zero", "error"]


class Filler:
    """Fills templates for one set, once: what all of them make together is bounded."""

    def __init__(self, *, go: bool, options: tuple[str, ...] = ()) -> None:
        self.go = go
        self._missing = _missing_key(options) if go else "default"
        self._environments: dict[MissingKey, Environment] = {}
        self._compiled: dict[tuple[str, MissingKey], Template] = {}
        self._made = self._slow = self._depth = 0

    def text(self, template: str, parameters: Parameters, *, strict: bool = False) -> str:
        """The text. `strict`: MissingParameter for a name that is not there, whatever the options say. TemplateFailed."""
        if "{{" not in template:
            return template
        made = self._go(template, parameters, "error" if strict else self._missing) if self.go else _fast(
            template, parameters
        )  # fmt: skip
        self._made += len(made)
        if self._made > _MOST_TEXT:
            raise LimitExceeded(f"the templates of one ApplicationSet make more than {_MOST_TEXT} characters")
        return made

    def value(self, value: Any, parameters: Parameters, depth: int = 0) -> Any:
        """Everything in a JSON value, the keys of maps too."""
        if isinstance(value, str):
            return self.text(value, parameters)
        if depth > _OBJECT_DEPTH:
            raise LimitExceeded(f"a template is nested deeper than {_OBJECT_DEPTH} levels")
        if isinstance(value, dict):
            return {self.text(k, parameters): self.value(v, parameters, depth + 1) for k, v in value.items()}
        if isinstance(value, list):
            return [self.value(child, parameters, depth + 1) for child in value]
        return value

    def with_values(self, values: Mapping[str, str], parameters: Parameters) -> Parameters:
        """The parameters with a generator's `values` filled from them, `values.x` each, or `values` as a map in Go."""
        made = {key: self.text(str(value), parameters) for key, value in values.items()}
        if not made:
            return parameters
        if self.go:
            return {**parameters, "values": made}
        return {**parameters, **{f"values.{key}": value for key, value in made.items()}}

    def _go(self, template: str, parameters: Parameters, missing: MissingKey) -> str:
        try:
            return self._template(template, missing).render(parameters)
        except TemplateExecutionError as error:
            words = template_words.of_execution(_NAME, template, error)
            kind = MissingParameter if _MISSING.search(words) else TemplateFailed
            words = _MISSING.sub(r'map has no entry for key "\1"', words)
            raise kind(f"failed to execute go template {_short(template)}: {words}") from None
        except (InvalidInput, RecursionError, MemoryError) as error:
            if isinstance(error, InvalidInput):
                raise
            raise TemplateFailed(f"failed to execute go template {_short(template)}: it goes too deep") from None
        except Exception as error:  # noqa: BLE001  # whatever a function of the library does with a value must not end the controller
            raise TemplateFailed(
                f"failed to execute go template {_short(template)}: {type(error).__name__}: {str(error)[:200]}"
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
            raise TemplateFailed(f"failed to parse template {_short(template)}: {words}") from None
        except (TemplateError, RecursionError, ValueError):
            raise TemplateFailed(f"failed to parse template {_short(template)}") from None

    def _environment(self, missing: MissingKey) -> Environment:
        if missing not in self._environments:
            functions = {**safe_functions(), **_OWN, "tpl": lambda text, values: self._tpl(text, values, missing)}
            for name in _SLOW:
                functions[name] = self._counted(name, functions[name])
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

    def _counted(self, name: str, function: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object) -> object:
            self._slow += 1
            if self._slow > _MOST_KEYS:
                raise ValueError(f"{name}: keys and hashes may be made {_MOST_KEYS} times in one ApplicationSet")
            return function(*arguments)

        return counted


def _missing_key(options: tuple[str, ...]) -> MissingKey:
    found: MissingKey = "default"
    known: dict[str, MissingKey] = {"default": "default", "invalid": "default", "zero": "zero", "error": "error"}
    for option in options:
        name, _, value = option.partition("=")
        if name != "missingkey" or value not in known:
            raise TemplateFailed(f"unrecognized option: {option}", hint="goTemplateOptions knows missingkey=error")
        found = known[value]
    return found


def _fast(template: str, parameters: Parameters) -> str:
    """`{{name}}` where the name is a parameter that is a text; any other tag stays as it is written (valyala/fasttemplate)."""
    if not _TAG_ON_A_LINE.search(template):
        return template
    out, at = [], 0
    while (start := template.find("{{", at)) >= 0:
        end = template.find("}}", start + 2)
        if end < 0:
            rest = template[start + 2 :]
            said = f'Cannot find end tag="}}}}" in the template="{_short(template)}" starting from "{_short(rest)}"'
            raise TemplateFailed(f"invalid template: {said}")
        tag = template[start + 2 : end]
        value = parameters.get(tag.strip())
        out += [template[at:start], value if tag.strip() and isinstance(value, str) else f"{{{{{tag}}}}}"]
        at = end + 2
    return "".join([*out, template[at:]])


def _short(template: str) -> str:
    return template if len(template) <= 200 else template[:200] + "…"


def _to_yaml(value: Any) -> str:
    return write_document(_whole(value)).removesuffix("\n")


def _whole(value: Any) -> Any:
    """Floats that are whole numbers as JSON writes them: without a point."""
    if isinstance(value, dict):
        return {str(key): _whole(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole(child) for child in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e21 else value


def read_yaml(text: str) -> Any:
    """The first document, numbers as Go has them; None where there is none."""
    documents = read_documents(text.encode(), file="", duplicates="last")
    return as_go(documents[0].value) if documents else None


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
