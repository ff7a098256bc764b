"""Images: which cannot be pulled, and how the kubelet tells it: ErrImagePull and ImagePullBackOff in turn."""

import re
from typing import Any, NamedTuple

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
