"""Custom resources: what a CustomResourceDefinition must be, and what it makes of objects.

`check_definition` and `check_definition_update` judge a CRD, `with_defaults`, `initial_status`, `with_stored_version` and `named_status`
bring it to life, `Definition.of(crd)` reads it. An object of it is `pruned`, `defaulted`, and judged by `validate`.
"""

from kilde.kubeapi.resources.custom.checks import check_definition, check_definition_update
from kilde.kubeapi.resources.custom.definition import Definition, ScalePaths, Version
from kilde.kubeapi.resources.custom.naming import (
    initial_status,
    is_served,
    is_terminating,
    named_status,
    served,
    terminating_status,
    with_defaults,
    with_stored_version,
)
from kilde.kubeapi.resources.custom.objects import validate
from kilde.kubeapi.resources.custom.shaping import defaulted, pruned

__all__ = [
    "Definition",
    "ScalePaths",
    "Version",
    "check_definition",
    "check_definition_update",
    "defaulted",
    "initial_status",
    "is_served",
    "is_terminating",
    "named_status",
    "pruned",
    "served",
    "terminating_status",
    "validate",
    "with_defaults",
    "with_stored_version",
]
