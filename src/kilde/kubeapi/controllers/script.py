"""Scripts: how long pretended things take and which faults they have; from a profile, changed by annotations.

`sim.kilde.dev/pod: "pull=2s,ready=5s"` on a pod (or on a pod template). Steps, separated by commas:

    pull=2s            the image takes so long to pull          pull-error[=text]  it cannot be pulled
    start=1s           from pulled to running                   ready=5s | never   from running to ready
    run=3s             a task (a Job's pod) takes so long       exit=1             the container ends with that code …
    after=2s           … so long after its start                crash=3 | always   … so many times, then it stays up
    oom                it ends because memory ran out           message=text       what it leaves as its last words
    config-error=text  it cannot be created                     unschedulable      no node will have it
    terminate=2s       a deleted pod takes so long to go

An annotation that cannot be read is as if it were not there: it is a wish to a simulator, not an instruction to a cluster.
Rules that match objects can come later: they give the same values, before the annotation has its word.
"""

from dataclasses import dataclass

from kilde.core.basics.reading import duration
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import annotations_of

POD = "sim.kilde.dev/pod"
CLAIM = "sim.kilde.dev/claim"
ADDRESS = "sim.kilde.dev/address"
NEVER = float("inf")


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
    claim: float = 0.1
    address: float = 0.2


FAST = Profile()


@dataclass(frozen=True, slots=True)
class PodScript:
    """What one pod does. `crashes`: how often a container ends by `exit_code` before it stays up (None: it never ends)."""

    pull: float
    start: float
    ready: float
    run: float
    terminate: float
    after: float
    pull_error: str | None = None
    config_error: str | None = None
    exit_code: int = 0
    crashes: float | None = None
    oom: bool = False
    message: str = ""
    unschedulable: bool = False


def steps_of(obj: Object, annotation: str) -> dict[str, str]:
    """The steps of a script annotation: name → value ("" where there is none)."""
    text = annotations_of(obj).get(annotation, "")
    parts = (part.strip().partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): value.strip() for name, _, value in parts}


def pod_script(pod: Object, profile: Profile = FAST) -> PodScript:
    """The profile's times, changed by the pod's annotation."""
    steps = steps_of(pod, POD)
    return PodScript(
        pull=_time(steps, "pull", profile.pull),
        start=_time(steps, "start", profile.start),
        ready=_time(steps, "ready", profile.ready),
        run=_time(steps, "run", profile.run),
        terminate=_time(steps, "terminate", profile.terminate),
        after=_time(steps, "after", 0.1),
        pull_error=steps.get("pull-error"),
        config_error=steps.get("config-error"),
        exit_code=137 if "oom" in steps else _number(steps.get("exit"), 1 if "crash" in steps else 0),
        crashes=_crashes(steps),
        oom="oom" in steps,
        message=steps.get("message", ""),
        unschedulable="unschedulable" in steps,
    )


def _crashes(steps: dict[str, str]) -> float | None:
    if not steps.keys() & {"exit", "crash", "oom"}:
        return None
    times = steps.get("crash", "always")
    return NEVER if times in ("", "always") else float(_number(times, 1))


def _time(steps: dict[str, str], name: str, default: float) -> float:
    text = steps.get(name, "")
    found = NEVER if text == "never" else duration(text)
    return default if found is None or found < 0 else found


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() else default
