"""What registries say of the images that a plan brings in."""

from collections.abc import Mapping, Sequence

from kilde.adapters.charts.images import Images, Looked, Presence
from kilde.adapters.charts.limits import ChartLimits
from kilde.core.preview.model import AppPlan, Finding
from kilde.core.source.credentials import Credentials
from kilde.engine.preview.application import with_findings

_SECONDS = 20.0  # for a registry's answer


async def with_images(
    plans: Sequence[AppPlan], auths: Mapping[str, Credentials], plain: Sequence[str]
) -> tuple[AppPlan, ...]:
    """The plans with what their registries say of the images that are new."""
    images = Images(auths, ChartLimits(seconds=_SECONDS), plain=plain)
    try:
        looked = await images.look(image for plan in plans for image in plan.images)
    finally:
        await images.close()
    return tuple(
        with_findings(
            plan, (*plan.findings, *(one for image in plan.images if (one := _finding(image, looked[image]))))
        )
        for plan in plans
    )


def _finding(image: str, looked: Looked) -> Finding | None:
    """What is told of an image; None where it is there."""
    if looked.presence is Presence.THERE:
        return None
    texts = {
        Presence.MISSING: "its registry does not have it",
        Presence.NOT_A_NAME: "is no name of an image",
        Presence.UNKNOWN: f"whether its registry has it is not known: {looked.why}",
    }
    return Finding(
        kind="image", object=image, text=texts[looked.presence], grave=looked.presence is not Presence.UNKNOWN
    )
