"""A commit that puts paths back to what they were, and the commands a person types for it where we may not push."""

from dataclasses import dataclass
from shlex import quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Revert:
    """What is wanted: on `branch`, what `paths` (none: everything) are in commit `to`."""

    branch: str
    to: str
    paths: tuple[str, ...] = ()
    author: str = ""
    message: str


def by_hand(url: str, wanted: Revert) -> tuple[str, ...]:
    """Shell commands that commit it, and push."""
    branch, to, paths, message = wanted.branch, wanted.to, wanted.paths, wanted.message
    return (
        f"git clone --branch {quote(branch)} -- {quote(url)} rollback",
        "cd rollback",
        f"git restore --source={quote(to)} --staged --worktree -- {' '.join(map(quote, paths or (':/',)))}",
        f"git commit -m {quote(message.strip())}",
        f"git push origin {quote(f'HEAD:refs/heads/{branch}')}",
    )
