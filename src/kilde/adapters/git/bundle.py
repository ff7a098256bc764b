"""write_bundle: commits of a mirror, with their history, in one file that git can clone from; the mirror is only read."""

import shutil
import tempfile
from pathlib import Path

from kilde.adapters.git.failures import last_words
from kilde.adapters.git.process import Git
from kilde.core.basics.errors import SourceError
from kilde.core.source.refspec import is_full_id

_COMMIT = b" commit "


async def write_bundle(git: Git, mirror: Path, private: Path, shas: frozenset[str], target: Path) -> frozenset[str]:
    """Those of the commits that are there, in a bundle with a ref of each; without any, no file is made. Raises SourceError.

    A bundle is made of refs. They are in a repository of its own, which borrows the mirror's objects: the mirror has no ref of ours.
    """
    asked = sorted(sha for sha in shas if is_full_id(sha))
    done = await git.run(
        [f"--git-dir={mirror}", "cat-file", "--batch-check"], stdin="".join(f"{sha}\n" for sha in asked).encode()
    )
    found = [line.split(b" ")[0].decode() for line in done.output.splitlines() if _COMMIT in line]
    if done.code or not found:
        return frozenset()
    folder = Path(tempfile.mkdtemp(dir=private))
    try:
        wide = "sha1" if len(found[0]) == 40 else "sha256"
        await _run(git, ["init", "--quiet", "--bare", "--template=", f"--object-format={wide}", str(folder)])
        info = folder / "objects" / "info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "alternates").write_text(f"{(mirror / 'objects').absolute()}\n")
        refs = "".join(f"create refs/heads/commit-{sha} {sha}\n" for sha in found)
        await _run(git, [f"--git-dir={folder}", "update-ref", "--stdin"], stdin=refs.encode())
        await _run(git, [f"--git-dir={folder}", "bundle", "create", "--quiet", "--version=2", str(target), "--all"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return frozenset(found)


async def _run(git: Git, arguments: list[str], *, stdin: bytes = b"") -> None:
    done = await git.run(arguments, stdin=stdin, seconds=git.limits.clone_seconds)
    if done.code:
        raise SourceError(f"git {arguments[1 if arguments[0].startswith('--') else 0]}: {last_words(done.error)}")
