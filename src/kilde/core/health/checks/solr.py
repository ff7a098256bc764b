"""Solr: every node of the cloud ready."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, parts
from kilde.core.health.health import Health, healthy, progressing
from kilde.core.health.judging import Judge


def cloud(obj: Object) -> Health:
    if not isinstance(part(obj, "status").get("solrNodes"), list):
        return progressing("Waiting for solr to exist")
    all_there = all(node.get("ready") not in (None, False) for node in parts(part(obj, "status"), "solrNodes"))
    return healthy("Solr is ready") if all_there else progressing("Not all replicas are ready")


KINDS: Final[Mapping[str, Judge]] = {"SolrCloud": cloud}
