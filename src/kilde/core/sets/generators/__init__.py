"""The generators by the name they have in a set, in Argo CD's order. A new one is one file and one line here."""

from collections.abc import Mapping

from kilde.core.sets.generators import (
    clusters,
    decisions,
    git,
    listing,
    matrix,
    merge,
    plugin,
    pull_request,
    scm_provider,
)
from kilde.core.sets.generators.asking import Generator

GENERATORS: Mapping[str, Generator] = {
    "list": listing.GENERATOR,
    "clusters": clusters.GENERATOR,
    "git": git.GENERATOR,
    "scmProvider": scm_provider.GENERATOR,
    "clusterDecisionResource": decisions.GENERATOR,
    "pullRequest": pull_request.GENERATOR,
    "matrix": matrix.GENERATOR,
    "merge": merge.GENERATOR,
    "plugin": plugin.GENERATOR,
}
