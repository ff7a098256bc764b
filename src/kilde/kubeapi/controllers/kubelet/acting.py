"""How a script becomes what one pod does: jitter by its uid, a task's time by its owner, failures counted over a Job's pods."""

from dataclasses import replace

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import controller_of, name_of, namespace_of, uid_of
from kilde.kubeapi.controllers.naming import fnv32a
from kilde.kubeapi.controllers.pods import is_active, is_ready, spec_of
from kilde.kubeapi.controllers.script import NEVER, PodScript, Profile
from kilde.kubeapi.controllers.steps import View

_JOBS = "jobs.batch"


def settled(script: PodScript, pod: Object, view: View, profile: Profile) -> PodScript:
    """The script with what depends on the pod worked out."""
    owner = controller_of(pod)
    if script.jitter and script.ready < NEVER:
        share = fnv32a(uid_of(pod).encode()) / 2**32
        script = replace(script, ready=script.ready + script.jitter * share)
    if owner is None or owner.get("kind") != "Job":
        # a task that nobody waits for takes longer: it may be meant to be looked at
        return replace(script, run=profile.task) if script.run == profile.run else script
    if not script.job_fails:
        return script
    if spec_of(pod).get("restartPolicy") == "OnFailure":
        return replace(script, crashes=script.job_fails, exit_code=script.job_exit)
    job = view.get(_JOBS, namespace_of(pod), owner["name"]) or {}
    failed = int((job.get("status") or {}).get("failed") or 0)
    if failed >= script.job_fails:
        return replace(script, crashes=None)
    return replace(script, crashes=NEVER, exit_code=script.job_exit)


def is_held(script: PodScript, pod: Object, view: View) -> bool:
    """Whether the pod may not get ready: as many of its owner's as the script allows are, or come before it by name."""
    owner = controller_of(pod)
    if script.stall == NEVER or owner is None:
        return False
    others = (
        other for other in view.owned("pods", owner["uid"]) if is_active(other) and name_of(other) != name_of(pod)
    )
    return sum(1 for other in others if is_ready(other) or name_of(other) < name_of(pod)) >= script.stall
