"""Checks the signature of a commit with git, gpg and ssh-keygen: in a keyring and with signers of that one check, never the machine's."""

import base64
import binascii
import re
import shutil
import tempfile
from pathlib import Path

from kilde.adapters.git.process import Finished, Git
from kilde.core.basics.errors import SourceUnavailable
from kilde.core.source.signature import Signature, Signers, Verified

_SECONDS = 30.0
_MOST = 1 << 20  # bytes of keys
_STATUS = re.compile(r"^\[GNUPG:\] (?P<word>[A-Z_]+) ?(?P<rest>.*)$", re.MULTILINE)
_SSH_GOOD = re.compile(
    r'^Good "git" signature for (?P<who>.+) with (?P<kind>\S+) key (?P<key>SHA256:\S+)$', re.MULTILINE
)
_SSH_OTHER = re.compile(r'^Good "git" signature with \S+ key (?P<key>SHA256:\S+)$', re.MULTILINE)
_GPG = "no-autostart\nno-auto-key-retrieve\nbatch\ntrust-model always\nno-default-keyring\n"
_ARMOUR = re.compile(r"-----BEGIN PGP PUBLIC KEY BLOCK-----\n(.*?)\n-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
_ID = 16
_BROKEN = frozenset({"BADSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG"})


async def check_signature(git: Git, mirror: Path, private: Path, sha: str, signers: Signers) -> Signature:
    """What is known of the commit's signature. Raises SourceUnavailable when a program is missing or the keys cannot be used."""
    folder = Path(tempfile.mkdtemp(dir=private))
    try:
        allowed = folder / "allowed_signers"
        allowed.write_text(signers.ssh)
        home = folder / "gnupg"
        home.mkdir(mode=0o700)
        (folder / "signers.gpg").write_bytes(_keyring(signers))
        (home / "gpg.conf").write_text(f"{_GPG}keyring {folder / 'signers.gpg'}\n")
        config = (("gpg.ssh.allowedSignersFile", str(allowed)), ("gpg.minTrustLevel", "undefined"))
        command = [f"--git-dir={mirror}", "verify-commit", "--raw", sha]
        done = await git.run(command, config=config, extra={"GNUPGHOME": str(home)}, seconds=_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _judged(done)


def _judged(done: Finished) -> Signature:
    """Good only where git's exit code and the program's own words agree."""
    words = [(match["word"], match["rest"].split()) for match in _STATUS.finditer(done.error)]
    if words:
        return _judged_gpg(words, good=not done.code)
    good = _SSH_GOOD.search(done.error)
    if good and not done.code:
        return Signature(Verified.GOOD, good["who"], (good["key"],))
    other = _SSH_OTHER.search(done.error)
    if other:
        return Signature(Verified.UNKNOWN, keys=(other["key"],))
    if not done.error.strip():
        return Signature(Verified.NONE)
    if "ssh-keygen" in done.error and "cannot run" in done.error:
        raise SourceUnavailable("the program 'ssh-keygen' cannot be started", hint="install openssh-client")
    if "cannot run gpg" in done.error:
        raise SourceUnavailable("the program 'gpg' cannot be started", hint="install gnupg")
    return Signature(Verified.BAD)


def _judged_gpg(words: list[tuple[str, list[str]]], *, good: bool) -> Signature:
    said = dict(reversed(words))  # the first of each counts
    if "GOODSIG" in said and "VALIDSIG" in said and good and not _BROKEN & said.keys():
        valid, signed = said["VALIDSIG"], said["GOODSIG"]
        keys = dict.fromkeys(key[-_ID:].upper() for key in (signed[0], valid[0], valid[-1]))
        return Signature(Verified.GOOD, " ".join(signed[1:]), tuple(keys))
    for word in (*_BROKEN, "ERRSIG"):
        if said.get(word):
            verified = Verified.UNKNOWN if word == "ERRSIG" else Verified.BAD
            return Signature(verified, keys=(said[word][0][-_ID:].upper(),))
    return Signature(Verified.BAD)


def _keyring(signers: Signers) -> bytes:
    """The keys' packets, one after the other, which is what gpg takes for a keyring: nothing is imported, no agent is asked."""
    text = "\n".join(signers.gpg).replace("\r\n", "\n")
    if len(text) > _MOST:
        raise SourceUnavailable(f"the keys of signers take more than {_MOST:,} bytes")
    packets = b""
    for block in _ARMOUR.findall(text):
        body = f"\n{block}".partition("\n\n")[2]  # behind the headers, of which there may be none
        try:
            lines = [line.strip() for line in body.splitlines() if line.strip() and not line.startswith("=")]
            packets += base64.b64decode("".join(lines), validate=True)
        except (ValueError, binascii.Error):
            raise SourceUnavailable("a signer's key cannot be read", hint="it must be an armoured public key") from None
    return packets
