"""Names of Applications in any namespace: as tracking ids have them, and as people say them."""


def instance_name(namespace: str, name: str, home: str) -> str:
    """What tells an Application from all others; `home`: the controller's namespace ("": the Application's own)."""
    return name if not home or namespace in ("", home) else f"{namespace}_{name}"


def said(name: str) -> str:
    """`namespace/name`, as people call an Application, of what tells it from all others."""
    return name.replace("_", "/")  # neither of the two can have one


def place_of(name: str, namespace: str) -> tuple[str, str]:
    """Namespace and name of an Application as people (`namespace/name`) and tracking ids (`namespace_name`) call it."""
    for between in "/_":
        before, found, own = name.partition(between)
        if found:
            return before, own
    return namespace, name
