"""`merge`: the parameter sets of a first generator, completed by those of others that agree on the merge keys."""

from kilde.core.basics.values import canonical
from kilde.core.sets.failures import GeneratorFailed, within
from kilde.core.sets.generators.asking import Asking, Generator, Spec, items
from kilde.core.sets.parameters import Parameters, overridden


def _give(spec: Spec, asking: Asking) -> list[Parameters]:
    entries = items(spec, "generators")
    if len(entries) < 2:
        raise GeneratorFailed("found less than two generators, Merge requires two or more")
    keys = [str(key) for key in items(spec, "mergeKeys")]
    given = []
    for number, entry in enumerate(entries, 1):
        words = (
            f"error getting param sets from generators: error getting params from generator {number} of {len(entries)}"
        )
        with within(words):
            given.append(asking.children(asking, entry, {}))
    with within("error getting param sets by merge key"):
        base, *others = [_by_key(keys, each) for each in given]
    for other in others:
        for key, parameters in base.items():
            if key in other:
                above = other[key]
                base[key] = overridden(parameters, above) if asking.filler.go else {**parameters, **above}
    return list(base.values())


def _by_key(keys: list[str], found: list[Parameters]) -> dict[str, Parameters]:
    if not keys:
        raise GeneratorFailed("no merge keys were specified, Merge requires at least one")
    out: dict[str, Parameters] = {}
    for parameters in found:
        key = canonical({name: parameters.get(name) for name in keys}).decode()
        if key in out:
            raise GeneratorFailed(
                "the parameters from a generator were not unique by the given mergeKeys, "
                f"Merge requires all param sets to be unique. Duplicate key was {key}"
            )
        out[key] = parameters
    return out


GENERATOR = Generator(give=_give, nests=True)
