"""The script of a SimulationRule, a list of steps with fields, brought to the flat steps that annotations have."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kilde.core.basics.values import Json

Flat = dict[str, str]


def flattened(script: Iterable[Mapping[str, Any]]) -> Flat:
    """All steps of a script as one table; a later step wins over an earlier one. An unknown step says nothing."""
    made: Flat = {}
    for step in script:
        for name, value in step.items():
            if name in STEPS and value is not None and value is not False:
                made.update(STEPS[name](value))
    return made


def _word(value: Json) -> str:
    """A value as an annotation writes it; true is the bare word."""
    if value is True:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(flat: str) -> Callable[[Any], Flat]:
    """A step that is one value."""
    return lambda value: {flat: _word(value)}


def _fields(names: Mapping[str, str], *, short: str = "", always: Flat | None = None) -> Callable[[Any], Flat]:
    """A step with fields (field → flat step); `short` is the flat step that a bare value means, `always` is said in any case."""

    def flat(value: Any) -> Flat:
        made = dict(always or {})
        if isinstance(value, Mapping):
            return made | {
                names[field]: _word(one) for field, one in value.items() if field in names and one is not False
            }
        return made | ({short: _word(value)} if short and value is not True else {})

    return flat


def _pull(value: Any) -> Flat:
    if not isinstance(value, Mapping):
        return {"pull": _word(value)}
    names = {"after": "pull", "message": "pull-error", "error": "pull-reason", "times": "pull-times"}
    made = {names[field]: _word(one) for field, one in value.items() if field in names}
    if "error" in value:
        made.setdefault("pull-error", "")
    return made


def _crash_loop(value: Any) -> Flat:
    if not isinstance(value, Mapping):
        return {"crash": "always" if value is True else _word(value)}
    return {"crash": _word(value.get("times", "always"))}


def _flap(value: Any) -> Flat:
    if not isinstance(value, Mapping):
        return {"flap": _word(value)}
    return {"flap": f"{value.get('ready', '10s')}/{value.get('unready', '5s')}"}


def _log(value: Any) -> Flat:
    if isinstance(value, Mapping):
        every = {"log-every": _word(value["every"])} if value.get("every") else {}
        return {**_log(value.get("lines") or []), **every}
    lines = value if isinstance(value, list) else [value]
    return {"log": "\n".join(map(str, lines))}


_PENDING = _fields({"message": "message", "for": "pending"}, short="pending", always={"pending": ""})
STEPS: Mapping[str, Callable[[Any], Flat]] = {
    "imagePull": _pull,
    "start": _plain("start"),
    "run": _plain("run"),
    "exit": _fields({"code": "exit", "after": "after", "message": "message"}, short="exit", always={"exit": "1"}),
    "crashLoop": _crash_loop,
    "oomKill": _fields({"after": "after"}, short="after", always={"oom": ""}),
    "readyDelay": _plain("ready"),
    "notReadyFor": _plain("ready"),
    "jitter": _plain("jitter"),
    "stallAfterReplicas": _plain("stall"),
    "flap": _flap,
    "unschedulable": _fields({"message": "unschedulable"}, short="unschedulable", always={"unschedulable": ""}),
    "configError": _fields({"message": "config-error"}, short="config-error", always={"config-error": ""}),
    "initFail": _fields({"times": "init-fail", "code": "init-exit"}, short="init-fail", always={"init-fail": ""}),
    "jobFail": _fields({"times": "job-fail", "code": "job-exit"}, short="job-fail", always={"job-fail": "1"}),
    "evict": _fields({"after": "evict", "message": "message"}, short="evict", always={"evict": ""}),
    "terminate": _plain("terminate"),
    "resize": _plain("resize"),
    "finalizerStuck": lambda _: {"terminate": "never", "stuck": ""},
    "nodeDown": _fields({"after": "after", "for": "for"}, short="after", always={"down": ""}),
    "nodeNotReady": _fields(
        {"after": "after", "for": "for", "message": "message"}, short="after", always={"not-ready": ""}
    ),
    "pvcPending": _PENDING,
    "lbPending": _PENDING,
    "ingressAddress": _fields({"ip": "ip", "hostname": "hostname"}, short="ip"),
    "log": _log,
    "usage": _fields({"cpu": "cpu", "memory": "memory"}),
}
