"""Templates of ApplicationSets, Go's and the older `{{name}}`, filled in texts and whole objects."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kilde.core.basics.errors import LimitExceeded
from kilde.core.sets.failures import TemplateFailed
from kilde.core.sets.parameters import Parameters
from kilde.core.sets.texts import MissingKey, short

if TYPE_CHECKING:
    from kilde.core.sets.go_texts import GoTexts

_MOST_TEXT = 64 << 20  # characters that one set may make in all
_OBJECT_DEPTH = 100


class Filler:
    """Fills templates for one set, once: what all of them make together is bounded."""

    def __init__(self, *, go: bool, options: tuple[str, ...] = ()) -> None:
        self.go = go
        self._missing = _missing_key(options) if go else "default"
        self._texts: GoTexts | None = None
        self._made = 0

    def text(self, template: str, parameters: Parameters, *, strict: bool = False) -> str:
        """The text. `strict`: MissingParameter for a name that is not there, whatever the options say. TemplateFailed."""
        if "{{" not in template:
            return template
        made = self._go(template, parameters, strict=strict) if self.go else _fast(template, parameters)
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

    def _go(self, template: str, parameters: Parameters, *, strict: bool) -> str:
        if self._texts is None:
            from kilde.core.sets.go_texts import GoTexts  # slow to load, and few sets have any

            self._texts = GoTexts()
        return self._texts.text(template, parameters, "error" if strict else self._missing)


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
    if not any("}}" in line.partition("{{")[2] for line in template.split("\n")):
        return template
    out, at = [], 0
    while (start := template.find("{{", at)) >= 0:
        end = template.find("}}", start + 2)
        if end < 0:
            rest = template[start + 2 :]
            said = f'Cannot find end tag="}}}}" in the template="{short(template)}" starting from "{short(rest)}"'
            raise TemplateFailed(f"invalid template: {said}")
        tag = template[start + 2 : end]
        value = parameters.get(tag.strip())
        out += [template[at:start], value if tag.strip() and isinstance(value, str) else f"{{{{{tag}}}}}"]
        at = end + 2
    return "".join([*out, template[at:]])
