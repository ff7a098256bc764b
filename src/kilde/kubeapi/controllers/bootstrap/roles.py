"""The default ClusterRoles for people and for what comes with a cluster, as tables (upstream: bootstrappolicy).

The roles of the single controllers (`system:controller:…`) are not here: our controllers do not authenticate.
"""

from typing import Any, NamedTuple

from kilde.core.basics.values import Object

_READ = "get list watch"
_WRITE = "create delete deletecollection patch update"
_ALL = "create delete deletecollection get list patch update watch"
_RBAC = "rbac.authorization.k8s.io"
_AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"


class Rule(NamedTuple):
    """Groups ("core" is the core group), resources or paths (they begin with a slash), and verbs; blanks separate."""

    groups: str
    things: str
    verbs: str


_VIEW = (
    Rule(
        "core",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers"
        " replicationcontrollers/scale serviceaccounts services services/status",
        _READ,
    ),
    Rule(
        "core",
        "bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas"
        " resourcequotas/status",
        _READ,
    ),
    Rule("core", "namespaces", _READ),
    Rule("core events.k8s.io", "events", _READ),
    Rule("discovery.k8s.io", "endpointslices", _READ),
    Rule(
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets"
        " replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
        _READ,
    ),
    Rule("autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status", _READ),
    Rule("batch", "cronjobs cronjobs/status jobs jobs/status", _READ),
    Rule(
        "extensions",
        "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status"
        " networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale",
        _READ,
    ),
    Rule("policy", "poddisruptionbudgets poddisruptionbudgets/status", _READ),
    Rule("networking.k8s.io", "ingresses ingresses/status networkpolicies", _READ),
    Rule("resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates", _READ),
)
_EDIT = (
    Rule("core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy", _READ),
    Rule("core", "serviceaccounts", "impersonate"),
    Rule("core", "pods pods/attach pods/exec pods/portforward pods/proxy", _WRITE),
    Rule("core", "pods/eviction", "create"),
    Rule(
        "core",
        "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets"
        " serviceaccounts services services/proxy",
        _WRITE,
    ),
    Rule("core", "serviceaccounts/token", "create"),
    Rule(
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets"
        " statefulsets/scale",
        _WRITE,
    ),
    Rule("autoscaling", "horizontalpodautoscalers", _WRITE),
    Rule("batch", "cronjobs jobs", _WRITE),
    Rule(
        "extensions",
        "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets"
        " replicasets/scale replicationcontrollers/scale",
        _WRITE,
    ),
    Rule("policy", "poddisruptionbudgets", _WRITE),
    Rule("networking.k8s.io", "ingresses networkpolicies", _WRITE),
    Rule("coordination.k8s.io", "leases", _ALL),
    Rule("resource.k8s.io", "resourceclaims resourceclaimtemplates", _WRITE),
)
_ADMIN = (
    Rule("authorization.k8s.io", "localsubjectaccessreviews", "create"),
    Rule(_RBAC, "rolebindings roles", _ALL),
)
_PLAIN: dict[str, tuple[Rule, ...]] = {
    "cluster-admin": (Rule("*", "*", "*"), Rule("", "/*", "*")),
    "system:basic-user": (
        Rule("authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews", "create"),
        Rule("authentication.k8s.io", "selfsubjectreviews", "create"),
    ),
    "system:discovery": (
        Rule("", "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/", "get"),
    ),
    "system:public-info-viewer": (Rule("", "/healthz /livez /readyz /version /version/", "get"),),
    "system:monitoring": (
        Rule("", "/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*", "get"),
    ),
    "system:auth-delegator": (
        Rule("authentication.k8s.io", "tokenreviews", "create"),
        Rule("authorization.k8s.io", "subjectaccessreviews", "create"),
    ),
    "system:service-account-issuer-discovery": (
        Rule(
            "",
            "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
            "get",
        ),
    ),
}
# Who has a role from the start: (role, groups).
_BOUND = (
    ("cluster-admin", ("system:masters",)),
    ("system:basic-user", ("system:authenticated",)),
    ("system:discovery", ("system:authenticated",)),
    ("system:public-info-viewer", ("system:authenticated", "system:unauthenticated")),
    ("system:monitoring", ("system:monitoring",)),
    ("system:service-account-issuer-discovery", ("system:serviceaccounts",)),
)


def _meta(name: str, *aggregate_to: str) -> dict[str, Any]:
    labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    labels |= {_AGGREGATE + target: "true" for target in aggregate_to}
    return {"name": name, "labels": labels, "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"}}


def _rule(rule: Rule) -> dict[str, Any]:
    things, verbs = rule.things.split(), rule.verbs.split()
    if things[0].startswith("/"):
        paths = ["*"] if things == ["/*"] else things
        return {"nonResourceURLs": paths, "verbs": verbs}
    groups = ["" if group == "core" else group for group in rule.groups.split()]
    return {"apiGroups": groups, "resources": things, "verbs": verbs}


def _role(meta: dict[str, Any], rules: tuple[Rule, ...] | None, aggregates: str = "") -> Object:
    role: Object = {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": meta}
    if aggregates:
        selector = {"matchLabels": {_AGGREGATE + aggregates: "true"}}
        return {**role, "aggregationRule": {"clusterRoleSelectors": [selector]}, "rules": None}
    return {**role, "rules": [_rule(rule) for rule in rules or ()]}


def roles() -> tuple[Object, ...]:
    """The ClusterRoles. admin, edit and view have no rules of their own: the aggregation controller fills them."""
    return (
        *(_role(_meta(name), rules) for name, rules in _PLAIN.items()),
        _role(_meta("admin"), None, "admin"),
        _role(_meta("edit", "admin"), None, "edit"),
        _role(_meta("view", "edit"), None, "view"),
        _role(_meta("system:aggregate-to-admin", "admin"), _ADMIN),
        _role(_meta("system:aggregate-to-edit", "edit"), _EDIT),
        _role(_meta("system:aggregate-to-view", "view"), _VIEW),
    )


def bindings() -> tuple[Object, ...]:
    """The ClusterRoleBindings; each has the name of its role."""
    return tuple(
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": _meta(role),
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": group} for group in groups],
        }
        for role, groups in _BOUND
    )
