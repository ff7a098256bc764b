"""Scripts: how long pretended things take and which faults they have, as the steps that annotations and rules give.

`sim.kilde.dev/pod: "pull=2s,ready=5s"` on a pod, its template or its owner; `sim.kilde.dev/container.<name>` for one container:

    pull=2s            the image takes so long to pull          pull-error[=text]  it cannot be pulled …
    pull-times=3       … so many times, then it can             pull-reason=text   … for that reason (ErrImagePull)
    start=1s           from pulled to running                   ready=5s | never   from running to ready
    jitter=10s         up to so much more until ready           stall=2            no more than so many of its owner get ready
    run=3s             a task (a Job's pod) takes so long       exit=1             the container ends with that code …
    after=2s           … so long after its start                crash=3 | always   … so many times, then it stays up
    oom                it ends because memory ran out           message=text       what it leaves as its last words
    job-fail=2         so many pods of a Job fail (job-exit=1)  init-fail=2 | always  init containers fail so often (init-exit=1)
    config-error=text  it cannot be created                     unschedulable[=text]  no node will have it
    flap=10s/5s        ready and not ready in turn              evict=30s          it is evicted so long after it began
    terminate=2s|never a deleted pod takes so long to go        cpu=500m, memory=1Gi  what it uses, for autoscalers
    resize=2s | never  from a resize that the node has room for to containers that have it

`sim.kilde.dev/log` has the lines a container writes when it starts, log-every=5s repeats them. `sim.kilde.dev/claim` and `…/address`
(a Service's or Ingress') know pending[=10s], message, ip and hostname; `sim.kilde.dev/node` knows down, not-ready, after=10s, for=30s.

A step that cannot be read is as if it were not there: it is a wish to a simulator, not an instruction to a cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kilde.core.basics.reading import duration
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import annotations_of

PREFIX = "sim.kilde.dev/"
POD = PREFIX + "pod"
CONTAINER = PREFIX + "container."
LOG = PREFIX + "log"
CLAIM = PREFIX + "claim"
ADDRESS = PREFIX + "address"
NODE = PREFIX + "node"
NEVER = float("inf")

Steps = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Profile:
    """How long things take when nothing else is said, in seconds."""

    pull: float = 0.02
    start: float = 0.03
    ready: float = 0.0
    init: float = 0.03
    run: float = 0.2
    task: float = 5.0
    terminate: float = 0.05
    resize: float = 0.1
    claim: float = 0.1
    address: float = 0.2


FAST = Profile()


@dataclass(frozen=True, slots=True)
class PodScript:
    """What one container of a pod does. `crashes`: how often it ends by `exit_code` before it stays up (None: it never ends)."""

    pull: float
    start: float
    ready: float
    run: float
    terminate: float
    resize: float
    after: float
    jitter: float = 0.0
    pull_error: str | None = None
    pull_reason: str = "ErrImagePull"
    pull_times: float = NEVER
    config_error: str | None = None
    exit_code: int = 0
    crashes: float | None = None
    init_fails: float = 0.0
    init_exit: int = 1
    job_fails: float = 0.0
    job_exit: int = 1
    oom: bool = False
    message: str = ""
    unschedulable: str | None = None
    flap: tuple[float, float] | None = None
    stall: float = NEVER
    evict: float | None = None
    log: tuple[str, ...] = ()
    log_every: float = 0.0


def steps_of(obj: Object, annotation: str) -> dict[str, str]:
    """The steps of a script annotation: name → value ("" where there is none)."""
    text = annotations_of(obj).get(annotation, "")
    parts = (part.strip().partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): value.strip() for name, _, value in parts}


def script_from(steps: Steps, profile: Profile = FAST) -> PodScript:
    """The profile's times, changed by the steps."""
    return PodScript(
        pull=seconds(steps, "pull", profile.pull),
        start=seconds(steps, "start", profile.start),
        ready=seconds(steps, "ready", profile.ready),
        run=seconds(steps, "run", profile.run),
        terminate=seconds(steps, "terminate", profile.terminate),
        resize=seconds(steps, "resize", profile.resize),
        after=seconds(steps, "after", 0.1),
        jitter=seconds(steps, "jitter", 0.0),
        pull_error=steps.get("pull-error"),
        pull_reason=steps.get("pull-reason") or "ErrImagePull",
        pull_times=_times(steps, "pull-times", NEVER),
        config_error=steps.get("config-error"),
        exit_code=137 if "oom" in steps else number(steps.get("exit"), 1 if "crash" in steps else 0),
        crashes=_crashes(steps),
        init_fails=_times(steps, "init-fail", 0.0),
        init_exit=number(steps.get("init-exit"), 1),
        job_fails=_times(steps, "job-fail", 0.0),
        job_exit=number(steps.get("job-exit"), 1),
        oom="oom" in steps,
        message=steps.get("message", ""),
        unschedulable=steps.get("unschedulable"),
        flap=_flap(steps.get("flap")),
        stall=_times(steps, "stall", NEVER),
        evict=seconds(steps, "evict", 0.0) if "evict" in steps else None,
        log=tuple(steps["log"].splitlines()) if steps.get("log") else (),
        log_every=seconds(steps, "log-every", 0.0),
    )


def _crashes(steps: Steps) -> float | None:
    if not steps.keys() & {"exit", "crash", "oom"}:
        return None
    return _times(steps, "crash", NEVER)


def _times(steps: Steps, name: str, default: float) -> float:
    """How often; a word without a number means for ever."""
    if name not in steps:
        return default
    return NEVER if steps[name] in ("", "always") else float(number(steps[name], 1))


def _flap(text: str | None) -> tuple[float, float] | None:
    """`10s/5s`: so long ready, so long not, in turn."""
    ready, _, unready = (text or "").partition("/")
    up, down = duration(ready), duration(unready or ready)
    return (up, down) if up and down and up > 0 and down > 0 else None


def seconds(steps: Steps, name: str, default: float) -> float:
    """A duration among the steps; the default where there is none that can be read."""
    text = steps.get(name, "")
    found = NEVER if text == "never" else duration(text)
    return default if found is None or found < 0 else found


def number(text: str | None, default: int) -> int:
    """A whole number; the default where it is none."""
    return int(text) if text is not None and text.isdigit() else default
