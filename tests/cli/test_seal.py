"""`kilde seal` and `kilde unseal`: whole outputs, exit codes, files, and what is refused; the recorded cases of kubeseal."""

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from core.secrets.keys_at_hand import NOW, private, sealing_key
from kilde.core.secrets.keys import make_certificate, write_private_key
from warm.program import warm_kilde

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {pw: hunter2, html: <a&b>}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with key.pem, cert.pem and s.yaml."""
    (tmp_path / "cert.pem").write_bytes(sealing_key().pem)
    (tmp_path / "key.pem").write_bytes(write_private_key(private()))
    (tmp_path / "s.yaml").write_text(SECRET)
    return tmp_path


def kilde(folder: Path, *arguments: str, stdin: str = "", **env: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    done = subprocess.run(
        [str(warm_kilde()), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", **env},
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_secret_is_sealed_and_opened_again(folder: Path) -> None:
    code, sealed, said = kilde(folder, "seal", "--cert", "cert.pem", "-oyaml", stdin=SECRET)
    assert (code, said) == (0, "")
    assert "hunter2" not in sealed

    assert kilde(folder, "unseal", "--recovery-private-key", "key.pem", "-o", "yaml", stdin=sealed) == (
        0,
        "---\napiVersion: v1\ndata:\n  html: PGEmYj4=\n  pw: aHVudGVyMg==\nkind: Secret\nmetadata:\n"
        "  creationTimestamp: null\n  name: db\n  namespace: shop\n",
        "",
    )


def test_files_are_read_and_written_whole_or_not_at_all(folder: Path) -> None:
    assert kilde(folder, "seal", "--cert=cert.pem", "-f", "s.yaml", "-w", "out.yml") == (0, "", "")
    out = (folder / "out.yml").read_text()
    assert out.startswith("---\napiVersion: bitnami.com/v1alpha1\n")

    code, _, said = kilde(folder, "seal", "--cert=cert.pem", "-f", "none.yaml", "-w", "out.yml")
    assert (code, said) == (1, "error: open none.yaml: no such file or directory\n")
    assert (folder / "out.yml").read_text() == out
    assert sorted(each.name for each in folder.iterdir()) == ["cert.pem", "key.pem", "out.yml", "s.yaml"]


def test_a_word_is_kept_from_the_environment_unless_the_line_says_otherwise(folder: Path) -> None:
    env = {"SEALED_SECRETS_CERT": "cert.pem", "SEALED_SECRETS_FORMAT": "yaml"}

    assert kilde(folder, "seal", stdin=SECRET, **env)[1].startswith("---\n")
    assert kilde(folder, "seal", "--format", "json", stdin=SECRET, **env)[1].startswith("{\n")


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (("--bogus",), "unknown flag: --bogus"),
        (("-X",), "unknown shorthand flag: 'X' in -X"),
        (
            ("--scope", "galaxy"),
            'invalid argument "galaxy" for "--scope" flag: must be one of: strict, namespace-wide, cluster-wide',
        ),
        (("--cert",), "flag needs an argument: --cert"),
        (("--raw=maybe",), 'invalid argument "maybe" for "--raw" flag: parsing "maybe": invalid syntax'),
    ],
)
def test_a_wrong_flag_is_exit_2_with_the_usage(folder: Path, arguments: tuple[str, ...], first: str) -> None:
    code, out, err = kilde(folder, "seal", *arguments)

    assert (code, out.splitlines()[0], err) == (2, first, "Usage of kilde seal:\n")
    assert "      --recovery-unseal" in out


def test_help_and_version(folder: Path) -> None:
    for arguments in (("--help",), ("-h",), ("controller", "--help")):
        code, out, err = kilde(folder, "seal", *arguments)
        assert (code, out.splitlines()[0][:19], err) == (0, "Usage of kilde seal", "")
    assert kilde(folder, "seal", "--version")[1].startswith("kubeseal version: kilde ")


def test_a_scope_that_would_never_open_is_refused_when_merging(folder: Path) -> None:
    sealed = kilde(folder, "seal", "--cert", "cert.pem", "--scope", "namespace-wide", stdin=SECRET)[1]
    (folder / "have.json").write_text(sealed)
    more = SECRET.replace("pw: hunter2", "more: '1'")

    code, _, said = kilde(
        folder, "seal", "--cert", "cert.pem", "--scope", "cluster-wide", "--merge-into", "have.json", stdin=more
    )
    assert (code, (folder / "have.json").read_text()) == (1, sealed)
    assert said.startswith("error: have.json: is namespace-wide: an item sealed cluster-wide would never open in it\n")

    assert kilde(folder, "seal", "--cert", "cert.pem", "--merge-into", "have.json", stdin=more) == (0, "", "")
    merged = (folder / "have.json").read_text()
    opened = kilde(folder, "unseal", "--recovery-private-key=key.pem", stdin=merged)
    assert (opened[0], sorted(json.loads(opened[1])["data"])) == (0, ["html", "more", "pw"])


@pytest.mark.parametrize("text", ["a: [", "", '{"a": ', "- a", "5", "a: b: c", "\x00", "{" * 100_000])
@pytest.mark.parametrize("command", ["seal", "unseal"])
def test_bad_input_is_one_error_and_nothing_printed(folder: Path, command: str, text: str) -> None:
    more = ["--cert", "cert.pem"] if command == "seal" else ["--recovery-private-key", "key.pem"]
    code, out, err = kilde(folder, command, *more, stdin=text)

    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert "Traceback" not in err


def test_a_later_document_that_fails_leaves_nothing_of_the_first_on_stdout(folder: Path) -> None:
    code, out, err = kilde(folder, "seal", "--cert", "cert.pem", stdin=f"{SECRET}---\nkind: Secret\napiVersion: v1\n")

    assert (code, out) == (1, "")
    assert err.startswith("error: secret.data is empty in input Secret")


def certificate(folder: Path, key: rsa.RSAPrivateKey, seconds: float = 86_400 * 3650) -> str:
    made = make_certificate(key, now=NOW, seconds=seconds, serial=bytes(range(16)))
    (folder / "other.pem").write_bytes(made.public_bytes(Encoding.PEM))
    return "other.pem"


def test_certificates_that_cannot_be_sealed_to_are_refused(folder: Path) -> None:
    short = certificate(folder, rsa.generate_private_key(public_exponent=65537, key_size=1024))
    code, _, err = kilde(folder, "seal", "--cert", short, stdin=SECRET)
    assert (code, err) == (1, "error: other.pem: the RSA key is too short: 1024 bits, and 2048 are needed\n")

    over = certificate(folder, private(), seconds=60)
    code, _, err = kilde(folder, "seal", "--cert", over, stdin=SECRET)
    assert code == 1
    assert err.startswith("error: other.pem: failed to encrypt using an expired certificate on January 1, 2026\n")

    (folder / "junk.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for name in ("junk.pem", "key.pem", "s.yaml"):
        code, _, err = kilde(folder, "seal", "--cert", name, stdin=SECRET)
        assert (code, err) == (1, f"error: {name}: data does not contain any valid RSA or ECDSA certificates\n")


def test_recovery_keys_that_cannot_be_read_are_told_without_a_part_of_them(folder: Path) -> None:
    sealed = kilde(folder, "seal", "--cert", "cert.pem", stdin=SECRET)[1]
    body = (folder / "key.pem").read_text().splitlines()
    (folder / "cut.pem").write_text("\n".join(body[:5]))
    other = ec.generate_private_key(ec.SECP256R1())
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    (folder / "ec.pem").write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for name, words in (
        ("cut.pem", "data does not contain a valid private key"),
        ("ec.pem", "the private key is not an RSA key"),
        ("none.pem", None),
    ):
        code, out, err = kilde(folder, "unseal", "--recovery-private-key", name, stdin=sealed)
        told = f"error: {name}: {words}\n" if words else "error: open none.pem: no such file or directory\n"
        assert (code, out, err) == (1, "", told)
        assert body[2] not in err


def test_a_value_of_a_mebibyte_is_sealed(folder: Path) -> None:
    big = json.dumps({**yaml.safe_load(SECRET), "stringData": {"big": "x" * (1 << 20)}})
    sealed = kilde(folder, "seal", "--cert", "cert.pem", stdin=big)[1]
    opened = kilde(folder, "unseal", "--recovery-private-key", "key.pem", stdin=sealed)[1]

    assert len(json.loads(opened)["data"]["big"]) == 4 * -(-(1 << 20) // 3)


class Server(http.server.BaseHTTPRequestHandler):
    """Gives a certificate, or sends the client elsewhere."""

    body = b""

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://192.0.2.1/cert.pem")
            self.end_headers()
            return
        self.send_response(200 if self.path == "/cert.pem" else 404)
        self.end_headers()
        self.wfile.write(self.body if self.path == "/cert.pem" else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Server.body = sealing_key().pem
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


def test_a_certificate_comes_from_a_url_but_not_over_http_from_elsewhere(folder: Path, server: str) -> None:
    assert kilde(folder, "seal", "--cert", f"{server}/cert.pem", stdin=SECRET)[0] == 0
    assert kilde(folder, "seal", "--cert", f"file://{folder}/cert.pem", stdin=SECRET)[0] == 0
    refused = "a certificate is not taken over plain http"
    for url in ("http://192.0.2.1/cert.pem", f"{server}/away"):
        code, out, err = kilde(folder, "seal", "--cert", url, stdin=SECRET)
        assert (code, out) == (1, "")
        assert refused in err
    code, _, err = kilde(folder, "seal", "--cert", f"{server}/nothing", stdin=SECRET)
    assert (code, err) == (1, f'error: cannot fetch "{server}/nothing": 404 Not Found\n')
    code, _, err = kilde(folder, "seal", "--cert", "ftp://127.0.0.1/x", stdin=SECRET)
    assert (code, err) == (1, "error: ftp://127.0.0.1/x: cannot be fetched: ftp is neither https nor file\n")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_recorded_case_of_kubeseal(shared: Path) -> None:
    command = [sys.executable, str(shared / "conformance/sealed-secrets/replay.py")]
    command += ["--seal-cmd", f"{warm_kilde()} seal", "--unseal-cmd", f"{warm_kilde()} unseal"]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
