"""Whether a saved plan still is what would be done: the plan of then against the plan of now, object by object."""

from kilde.core.preview.model import AppPlan, Step


def moved(then: AppPlan, now: AppPlan) -> list[str]:
    """What has moved, a sentence each, with the object's name; [] where it would do exactly the same."""
    about = f"Application {then.namespace}/{then.name}"
    if now.error:
        return [f"{about}: {now.error}"]
    if now.uid != then.uid:
        return [f"{about}: was deleted and made anew"]
    out = []
    if now.rendered != then.rendered:
        text = "what is wanted is rendered otherwise now: its spec, a chart's values or what the cluster serves has changed"
        out.append(f"{about}: {text}")
    before, after = _writes(then), _writes(now)
    for key, step in before.items():
        other = after.get(key)
        if other is None:
            out.append(f"{step.ref}: the plan would {step.action} it, and there is nothing to do any more")
        elif other.action != step.action:
            out.append(f"{step.ref}: the plan would {step.action} it, now a sync would {other.action} it")
        elif other.basis != step.basis:
            out.append(f"{step.ref}: has changed since the plan was made")
    out += [
        f"{step.ref}: would be {_DONE[step.action]} too, and is not in the plan"
        for key, step in after.items()
        if key not in before
    ]
    if _hooks(then) != _hooks(now):
        out.append(f"{about}: other hooks would run")
    if not out and (now.digest, now.basis) != (then.digest, then.basis):
        out.append(f"{about}: what would be done has another digest now")
    return out


_DONE = {"create": "created", "update": "changed", "replace": "replaced", "prune": "deleted"}


def _writes(app: AppPlan) -> dict[str, Step]:
    return {str(step.ref): step for step in app.steps if step.writes and step.why != "CreateNamespace=true"}


def _hooks(app: AppPlan) -> list[tuple[str, int, str]]:
    return sorted((step.phase, step.wave, str(step.ref)) for step in app.steps if step.action == "hook")
