"""The names of what quotas count and limit: of objects, of compute resources, and all that need no prefix."""

COMPUTE = ("cpu", "ephemeral-storage", "memory")
COUNTED_OBJECTS = (
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
)
COUNTED = frozenset({*COUNTED_OBJECTS, "services.loadbalancers", "services.nodeports"})
STANDARD = frozenset(
    {
        *COUNTED,
        *COMPUTE,
        *(f"{side}.{name}" for side in ("requests", "limits") for name in COMPUTE),
        "requests.storage",
        "storage",
    }
)
