"""The parameters of the operations in an OpenAPI v3 document, and which of them an operation shares with all others of its path."""

from collections.abc import Iterable, Mapping
from typing import Any

Operation = dict[str, Any]

# name -> type, what it is for
_QUERY: Mapping[str, tuple[str, str]] = {
    "pretty": ("string", "If 'true', then the output is pretty printed."),
    "dryRun": ("string", "'All' processes the request in full and stores nothing."),
    "fieldManager": ("string", "The name of who makes the changes: printable, shorter than 128 characters."),
    "fieldValidation": ("string", "What to do about unknown and duplicate fields: Ignore, Warn or Strict."),
    "force": ("boolean", "Take over fields that other managers own. Only for apply."),
    "gracePeriodSeconds": ("integer", "Seconds before the object is deleted; 0 is at once."),
    "ignoreStoreReadErrorWithClusterBreakingPotential": ("boolean", "Delete an object that cannot be read any more."),
    "orphanDependents": ("boolean", "Deprecated: use propagationPolicy."),
    "propagationPolicy": ("string", "What becomes of dependents: Orphan, Background or Foreground."),
    "allowWatchBookmarks": ("boolean", "Send events of type BOOKMARK in a watch."),
    "continue": ("string", "The token of the page before, to get the next."),
    "fieldSelector": ("string", "Only objects whose fields match."),
    "labelSelector": ("string", "Only objects whose labels match."),
    "limit": ("integer", "At most so many objects in one answer."),
    "resourceVersion": ("string", "How old the answer may be."),
    "resourceVersionMatch": ("string", "How resourceVersion is meant: Exact or NotOlderThan."),
    "sendInitialEvents": ("boolean", "Begin a watch with the objects that are there."),
    "shardSelector": ("string", "Only objects of a shard. Behind a feature gate that is closed."),
    "timeoutSeconds": ("integer", "End the call after so many seconds."),
    "watch": ("boolean", "Send changes as they come instead of a list."),
    "command": ("string", "A word of the command to run."),
    "container": ("string", "Which container of the pod; its only one if there is one."),
    "stdin": ("boolean", "Whether there is an input."),
    "stdout": ("boolean", "Whether the output is sent."),
    "stderr": ("boolean", "Whether the output of errors is sent."),
    "tty": ("boolean", "Whether there is a terminal."),
    "ports": ("integer", "The ports to forward."),
    "path": ("string", "The path that is asked of what is behind the proxy."),
    "follow": ("boolean", "Send lines as they come."),
    "insecureSkipTLSVerifyBackend": ("boolean", "Do not check the certificate of the kubelet."),
    "limitBytes": ("integer", "At most so many bytes."),
    "previous": ("boolean", "The log of the container that ended before this one."),
    "sinceSeconds": ("integer", "Lines of the last so many seconds."),
    "stream": ("string", "All, Stdout or Stderr."),
    "tailLines": ("integer", "So many lines from the end."),
    "timestamps": ("boolean", "Begin each line with its time."),
}
_STREAMS = ("container", "stderr", "stdin", "stdout", "tty")

WRITING = ("dryRun", "fieldManager", "fieldValidation")
DELETING = (
    "dryRun",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "orphanDependents",
    "propagationPolicy",
)
SELECTING = (
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "shardSelector",
    "timeoutSeconds",
)
LISTING = ("allowWatchBookmarks", *SELECTING, "watch")
LOG = (
    "container",
    "follow",
    "insecureSkipTLSVerifyBackend",
    "limitBytes",
    "previous",
    "sinceSeconds",
    "stream",
    "tailLines",
    "timestamps",
)
SINCE = {"shardSelector": 36}  # the minor from which a parameter is told
# The options of a connection, by the kind that a real server reads them as.
CONNECTING: Mapping[str, tuple[str, ...]] = {
    "PodAttachOptions": _STREAMS,
    "PodExecOptions": ("command", *_STREAMS),
    "PodPortForwardOptions": ("ports",),
    "PodProxyOptions": ("path",),
    "ServiceProxyOptions": ("path",),
    "NodeProxyOptions": ("path",),
}


def query(name: str) -> dict[str, Any]:
    """A parameter behind the question mark."""
    kind, text = _QUERY[name]
    return {"name": name, "in": "query", "description": text, "schema": {"type": kind, "uniqueItems": True}}


def segment(name: str, text: str) -> dict[str, Any]:
    """A parameter that is a part of the path."""
    schema = {"type": "string", "uniqueItems": True}
    return {"name": name, "in": "path", "description": text, "required": True, "schema": schema}


def path_item(operations: Mapping[str, Operation], place: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What can be done at a path, by method: what all its operations take is told once, beside them. All operations are in `place`."""
    own = {method: {one["name"]: one for one in operation["parameters"]} for method, operation in operations.items()}
    shared = set.intersection(*(set(names) for names in own.values()))
    everywhere = [one for name, one in next(iter(own.values())).items() if name in shared]
    found: dict[str, Any] = {"parameters": _sorted([*place, *everywhere])}
    for method, operation in operations.items():
        rest = _sorted(one for name, one in own[method].items() if name not in shared)
        said = {key: value for key, value in operation.items() if key != "parameters"}
        found[method] = {**said, "parameters": rest} if rest else said
    if not found["parameters"]:
        del found["parameters"]
    return dict(sorted(found.items()))


def _sorted(parameters: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(parameters, key=lambda one: (one["name"], one["in"]))
