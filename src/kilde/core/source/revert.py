"""The commands a person types to do what `push_revert` does, for where we may not push."""

from shlex import quote


def by_hand(*, url: str, branch: str, to: str, path: str, message: str) -> tuple[str, ...]:
    """Shell commands that commit on `branch` the content `path` ("" for all) had at commit `to`, and push it."""
    return (
        f"git clone --branch {quote(branch)} -- {quote(url)} rollback",
        "cd rollback",
        f"git restore --source={quote(to)} --staged --worktree -- {quote(path or ':/')}",
        f"git commit -m {quote(message)}",
        f"git push origin {quote(f'HEAD:refs/heads/{branch}')}",
    )
