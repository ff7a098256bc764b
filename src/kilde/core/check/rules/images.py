"""Container images that do not say which one is meant."""

import re
from collections.abc import Iterator
from dataclasses import replace

from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.references import containers, pod_template
from kilde.core.check.rule import Rule
from kilde.core.check.units import Item, Unit
from kilde.core.objects.yaml_reader import Path

_DIGEST = re.compile(r"@[a-z0-9+._-]+:[0-9a-f]{32,}\Z")


def _images(context: Context) -> Iterator[tuple[Unit, Item, str, Path]]:
    for unit, item in context.items():
        pod = pod_template(item.manifest)
        for container, path in containers(pod) if pod is not None else ():
            image = container.get("image")
            if isinstance(image, str) and image:
                yield unit, item, image, (*path, "image")


def tag_of(image: str) -> str | None:
    """The tag; "" where there is none, None where a digest says it all."""
    if _DIGEST.search(image):
        return None
    last = image.rpartition("/")[2]
    return last.partition("@")[0].partition(":")[2]


def _untagged(context: Context) -> Iterator[Problem]:
    for unit, item, image, path in _images(context):
        if tag_of(image) == "":
            message = f"image '{image}' has neither tag nor digest"
            yield context.problem(unit, item, message, path=path, hint="name a version, best with its digest")


def _latest(context: Context) -> Iterator[Problem]:
    for unit, item, image, path in _images(context):
        if tag_of(image) == "latest":
            hint = "name a version: what runs would change without a commit"
            problem = context.problem(unit, item, f"image '{image}' is whatever is latest", path=path, hint=hint)
            place = context.places.image_setting(unit, image)
            if place is not None:
                problem = replace(problem, path=place.file, line=place.line, column=place.column)
            yield problem


IMAGE_WITHOUT_TAG = Rule(
    id="image-without-tag",
    title="an image without tag or digest",
    severity=Severity.ERROR,
    docs="Without a tag the newest image is meant at each start of a pod: what runs is not what Git says, and nobody can roll back to it.",
    judge=_untagged,
)
IMAGE_LATEST = Rule(
    id="image-latest",
    title="an image with the tag latest",
    severity=Severity.WARNING,
    docs="The tag latest moves: what runs changes without a commit, and differs between nodes.",
    judge=_latest,
)
