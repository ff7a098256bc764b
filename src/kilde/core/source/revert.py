"""The commands a person types to do what `push_revert` does, for where we may not push."""

from shlex import quote


def by_hand(*, url: str, branch: str, to: str, paths: tuple[str, ...], message: str) -> tuple[str, ...]:
    """Shell commands that commit on `branch` the content the paths (none: everything) had at commit `to`, and push it."""
    return (
        f"git clone --branch {quote(branch)} -- {quote(url)} rollback",
        "cd rollback",
        f"git restore --source={quote(to)} --staged --worktree -- {' '.join(map(quote, paths or (':/',)))}",
        f"git commit -m {quote(message)}",
        f"git push origin {quote(f'HEAD:refs/heads/{branch}')}",
    )
