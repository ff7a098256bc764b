"""`list`: the elements as they are written, and those of a YAML text."""

from typing import Any

from kilde.core.sets.failures import GeneratorFailed, within
from kilde.core.sets.generators.asking import Asking, Generator, Spec, items, text
from kilde.core.sets.parameters import Parameters, as_go, bounded
from kilde.core.sets.texts import read_yaml


def _give(spec: Spec, asking: Asking) -> list[Parameters]:
    found = [as_go(element) if asking.filler.go else _flat(element) for element in items(spec, "elements")]
    with within("error unmarshling decoded ElementsYaml"):
        more = read_yaml(text(spec, "elementsYaml"))
    if more is not None and not (isinstance(more, list) and all(isinstance(each, dict) for each in more)):
        raise GeneratorFailed("error unmarshling decoded ElementsYaml: it is not a list of objects")
    found += more or []
    if not all(isinstance(each, dict) for each in found):
        raise GeneratorFailed("error unmarshling list element: it is not an object")
    return bounded(found)


def _flat(element: Any) -> Parameters:
    """For `{{name}}`: texts, and `values.` of a map of texts."""
    if not isinstance(element, dict):
        raise GeneratorFailed("error unmarshling list element: it is not an object")
    out: Parameters = {}
    for key, value in element.items():
        if key == "values":
            if not isinstance(value, dict):
                raise GeneratorFailed("error parsing values map")
            out |= {f"values.{name}": _text(name, each) for name, each in value.items()}
        else:
            out[key] = _text(key, value)
    return out


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise GeneratorFailed(
            f"error parsing value as string: {name} is none", hint="quote it, or set goTemplate: true"
        )
    return value


GENERATOR = Generator(give=_give)
