"""`matrix`: every parameter set of one generator with every one of a second, which may use the first one's parameters."""

from kilde.core.sets.failures import GeneratorFailed, within
from kilde.core.sets.generators.asking import Asking, Generator, Spec, items
from kilde.core.sets.parameters import Parameters, bounded, combined, overridden


def _give(spec: Spec, asking: Asking) -> list[Parameters]:
    entries = items(spec, "generators")
    if len(entries) != 2:
        few = "less" if len(entries) < 2 else "more"
        raise GeneratorFailed(f"found {few} than two generators, Matrix support only two")
    found: list[Parameters] = []
    reusable: list[Parameters] | None = None
    fixed = "{{" not in repr(entries[1])
    with within("error failed to get params for first generator in matrix generator"):
        given = asking.children(asking, entries[0], {})
    for first in given:
        if reusable is None or not fixed:
            with within("failed to get params for second generator in the matrix generator"):
                reusable = asking.children(asking, entries[1], first)
        with within("failed to combine string maps with merging params for the matrix generator"):
            found += [overridden(second, first) if asking.filler.go else combined(first, second) for second in reusable]
        bounded(found)
    return found


GENERATOR = Generator(give=_give, nests=True)
