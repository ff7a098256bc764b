"""Who sits at this keyboard: for the ledger, and as the author of commits."""

import getpass
import re
import socket
import subprocess

_IDENTITY = re.compile(r"(?P<name>[^<>\n]+ <[^<>\n]+>) \d+ [-+]\d+\s*")
_PATIENCE = 10.0


def who() -> str:
    """user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def author() -> str:
    """`NAME <EMAIL>` as git knows the user; without git's knowledge made of user and host."""
    try:
        done = subprocess.run(
            ["git", "var", "GIT_AUTHOR_IDENT"],  # noqa: S607  # the user's git, wherever it is
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired):
        done = None
    found = _IDENTITY.fullmatch(done.stdout) if done is not None and done.returncode == 0 else None
    return found["name"] if found else f"{who().partition('@')[0]} <{who()}>"
