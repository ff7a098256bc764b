"""Images: which cannot be pulled, and how the kubelet tells it: ErrImagePull and ImagePullBackOff in turn."""

import re
from typing import Any, NamedTuple

from kilde.kubeapi.controllers.naming import fnv32a

_NAME = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]{32,})?"
)
_MISSING_TAGS = {
    "broken",
    "does-not-exist",
    "doesnotexist",
    "missing",
    "non-existent",
    "nonexistent",
    "not-found",
    "notfound",
}
_FIRST, _LONGEST = 10.0, 300.0
_FLIP = 0.5  # seconds from the failed pull to the back-off


class Problem(NamedTuple):
    """Why an image cannot be had; `invalid` if its name is none. `reason` is the word a status shows first."""

    message: str
    invalid: bool
    reason: str = "ErrImagePull"


def pull_problem(image: str, scripted: str | None) -> Problem | None:
    """The problem of an image: its name is invalid, its tag says that it is missing, or a script says so."""
    if not _NAME.fullmatch(image):
        return Problem(
            f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": invalid reference format',
            True,
        )
    if scripted is not None:
        return Problem(scripted or _not_found(image), False)
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    return Problem(_not_found(image), False) if tag in _MISSING_TAGS else None


def _not_found(image: str) -> str:
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": {image}: not found'
    )


Words = tuple[str, str, bool]


def present_words(image: str) -> list[Words]:
    """What is said of an image that the node has."""
    text = f'Container image "{image}" already present on machine and can be accessed by the pod'
    return [("Pulled", text, False)]


def pulled_words(image: str, took: float) -> list[Words]:
    """What is said of an image that was fetched in so many seconds; its size is made up, the same for the same image."""
    size = 10_000_000 + fnv32a(image.encode()) % 90_000_000
    time = _go_duration(took)
    text = f'Successfully pulled image "{image}" in {time} ({time} including waiting). Image size: {size} bytes.'
    return [("Pulling", f'Pulling image "{image}"', False), ("Pulled", text, False)]


def _go_duration(seconds: float) -> str:
    """As Go prints it, in whole milliseconds below a second: 20ms, 1.5s, 1m2s."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}m{rest:g}s" if minutes else f"{round(rest, 3):g}s"


def pull_status(
    image: str, problem: Problem, before: str, failures: int
) -> tuple[int, dict[str, Any], float | None, list[Words]]:
    """(failed pulls so far, the waiting state, seconds until the next change (None: it stays), events as words)."""
    if problem.invalid:
        said = [("InspectFailed", problem.message, True), ("Failed", "Error: InvalidImageName", True)]
        return failures, {"reason": "InvalidImageName", "message": problem.message}, None, said
    if before == problem.reason:
        wait = min(_FIRST * 2 ** max(0, failures - 1), _LONGEST)
        text = f'Back-off pulling image "{image}"'
        said = [("BackOff", text, False), ("Failed", "Error: ImagePullBackOff", True)]
        return (
            failures,
            {"reason": "ImagePullBackOff", "message": f"{text}: {problem.reason}: {problem.message}"},
            wait,
            said,
        )
    said = [
        ("Pulling", f'Pulling image "{image}"', False),
        ("Failed", f'Failed to pull image "{image}": {problem.message}', True),
        ("Failed", f"Error: {problem.reason}", True),
    ]
    return failures + 1, {"reason": problem.reason, "message": problem.message}, _FLIP, said
