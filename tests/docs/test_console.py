"""What plays the manual pages notices what is not as shown, and leaves nothing running."""

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from docs.console import Step, is_as_shown, play, terminal


@pytest.mark.slow
def test_a_story_that_breaks_off_leaves_no_cluster_running(tmp_path: Path) -> None:
    told = Step("kilde cluster --data-dir box --controllers off --detach", ("something else",), False, False)

    with pytest.raises(AssertionError, match="but the page shows"), terminal(tmp_path) as one:
        play(one, [told])

    server = re.search(r"server: (\S+)", (tmp_path / "try-kilde/box/kubeconfig").read_text())
    assert server is not None
    address = urlsplit(server[1])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port), timeout=5).close()


@pytest.mark.parametrize(
    ("printed", "shown", "same"),
    [
        ("ready\n", ("ready",), True),
        ("ready  \n", ("ready",), True),
        ("made x: 3 files\n", ("made …: 3 files",), True),
        ("made x: 4 files\n", ("made …: 3 files",), False),
        ("a\nb\nc\n", ("a", "…", "c"), True),
        ("a\nc\n", ("a", "…", "c"), True),
        ("", ("…",), True),
        ("", (), True),
        ("more\n", (), False),
        ("", ("more",), False),
        ("a.b\n", ("a.b",), True),
        ("axb\n", ("a.b",), False),
    ],
)
def test_dots_stand_for_what_varies_and_nothing_else_does(printed: str, shown: tuple[str, ...], same: bool) -> None:
    assert is_as_shown(printed, shown) is same
