"""Warnings of labels of nodes that have newer names (Kubernetes' pkg/api/node/util.go)."""

from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.validation.fields import items
from kilde.kubeapi.resources.validation.names import label_value

_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}


def deprecated_label(name: str) -> str:
    """What to say of a label's name; "" if it is a good one."""
    return _LABELS.get(name, "")


def node_selector_term(term: Object, at: str, *, values: bool = False) -> Iterator[str]:
    """Of a term that selects nodes; with `values` also of values that no label can have."""
    for index, one in items(term, "matchExpressions"):
        where, key = f"{at}.matchExpressions[{index}]", str(one.get("key") or "")
        if deprecated_label(key):
            yield f"{where}.key: {key} is {deprecated_label(key)}"
        for number, value in items(one, "values") if values else ():
            yield from (f"{where}.values[{number}]: {value} is invalid, {words}" for words in label_value(str(value)))
