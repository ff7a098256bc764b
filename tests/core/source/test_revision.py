"""What a revision is called in short."""

import pytest

from kilde.core.source.revision import shortened


@pytest.mark.parametrize(
    ("revision", "short"),
    [
        ("0123456789" * 4, "0123456"),
        ("1.10.0-rc.1", "1.10.0-rc.1"),
        ("sha256:" + "ab" * 32, "sha256:abababa"),
        ("", ""),
    ],
)
def test_a_commit_is_cut_and_a_version_is_not(revision: str, short: str) -> None:
    assert shortened(revision) == short
