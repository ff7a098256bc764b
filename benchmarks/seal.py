"""What sealing and opening cost, beside the real kubeseal and its controller, in one run.

    python benchmarks/seal.py [--secrets 1000|10000] [--real-opens 100] [--without-cluster]

One Secret as a process; N Secrets in one call; a controller that opens N SealedSecrets on a real API server (`make real`), wall seconds
and the requests that the API server counted. The real controller sends five requests a second at most, so it is given fewer.
"""

import argparse
import base64
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools"), str(ROOT / "src")]

from build_real import where  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402

from core.secrets.keys_at_hand import NOW  # noqa: E402
from e2e.stage import free_port  # noqa: E402
from kilde.core.secrets.keys import SealingKey, make_certificate, write_private_key  # noqa: E402
from real.control_plane import control_plane  # noqa: E402
from real.sealed_secrets import BIN, kubectl, our_controller, real_controller  # noqa: E402

OURS, REAL = [str(BIN / "kilde"), "seal"], [str(where("kubeseal"))]


def secret(number: int) -> dict[str, object]:
    metadata = {"name": f"s{number}", "namespace": f"team-{number % 10}"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "stringData": {"user": "bob", "password": f"p{number}"},
    }


def seconds(job: Callable[[], object]) -> float:
    begun = time.perf_counter()
    job()
    return time.perf_counter() - begun


def sealed(command: list[str], certificate: Path, text: str) -> str:
    arguments = [*command, "--cert", str(certificate)]
    return subprocess.run(arguments, input=text, capture_output=True, text=True, check=True).stdout


def requests(kubeconfig: Path) -> int:
    """What the API server has answered so far about the objects in question, watches and leases aside."""
    text = kubectl(kubeconfig, "get", "--raw", "/metrics")
    kinds = r'(?=[^}]*resource="(?:secrets|sealedsecrets|events)")(?![^}]*verb="WATCH")'
    wanted = re.compile(rf"^apiserver_request_total\{{{kinds}[^}}]*\}} (\d+)", re.MULTILINE)
    return sum(int(count) for count in wanted.findall(text))


def opened(kubeconfig: Path, count: int) -> bool:
    return (
        len(
            kubectl(
                kubeconfig, "get", "secrets", "-A", "--no-headers", "-o", "name", "--field-selector=type=Opaque"
            ).split()
        )
        >= count
    )


def opening(kubeconfig: Path, count: int) -> tuple[float, int]:
    """Seconds until all Secrets are there, and how many requests that took."""
    before = requests(kubeconfig)
    begun = time.perf_counter()
    while not opened(kubeconfig, count):
        time.sleep(0.2)
    took = time.perf_counter() - begun
    time.sleep(3)
    return took, requests(kubeconfig) - before


def peak(pid: int) -> int:
    """The most memory that a process has had, in KiB."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(match[1]) if match else 0


def cluster_part(folder: Path, key: SealingKey, counts: dict[str, int], found: list[object]) -> None:
    held = {"tls.key": write_private_key(key.private), "tls.crt": key.pem}
    label = {"sealedsecrets.bitnami.com/sealed-secrets-key": "active"}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": "bench", "namespace": "kube-system", "labels": label},
        "data": {name: base64.b64encode(value).decode() for name, value in held.items()},
    }
    for program, count in ((program, count) for program, count in counts.items() if count):
        with control_plane(folder / program) as plane:
            config = plane.kubeconfig
            crds = subprocess.run([str(BIN / "kilde"), "install", "--crds"], check=True, capture_output=True, text=True)
            kubectl(config, "apply", "--server-side", "-f", "-", stdin=crds.stdout)
            kubectl(config, "apply", "-f", "-", stdin=json.dumps(body))
            for number in range(10):
                kubectl(config, "create", "namespace", f"team-{number}")
            for begin in range(0, count, 250):
                part = {"apiVersion": "v1", "kind": "List", "items": found[begin : min(begin + 250, count)]}
                kubectl(config, "create", "-f", "-", stdin=json.dumps(part))
            scratch = folder / f"{program}-scratch"
            scratch.mkdir()
            port = free_port()
            controller = (
                our_controller(config, scratch, f"127.0.0.1:{port}", "--key-renew-period=0")
                if program == "kilde"
                else real_controller(config, scratch, port, "--key-renew-period=0")
            )
            with controller as running:
                took, asked = opening(config, count)
                memory = "" if isinstance(running, str) else f", {peak(running.pid) >> 10} MiB at most"
            print(
                f"| {program}: opens {count} | {took:.1f} s | {asked / count:.2f} requests each{memory} |", flush=True
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--secrets", type=int, default=1000)
    parser.add_argument("--real-opens", type=int, default=100)
    parser.add_argument("--without-cluster", action="store_true")
    asked = parser.parse_args()
    private = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    certificate = make_certificate(private, now=NOW, seconds=86_400 * 3650, serial=os.urandom(16))
    key = SealingKey(private, certificate)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "cert.pem").write_bytes(key.pem)
        one = json.dumps(secret(0))
        many = "\n".join(json.dumps(secret(number)) for number in range(asked.secrets))
        for program, command in (("kilde", OURS), ("real", REAL)):
            times = [seconds(lambda command=command: sealed(command, folder / "cert.pem", one)) for _ in range(11)]
            print(f"| {program}: one Secret, a process | {statistics.median(times) * 1000:.0f} ms | |", flush=True)
            took = seconds(lambda command=command: sealed(command, folder / "cert.pem", many))
            print(f"| {program}: {asked.secrets} Secrets of two values | {took:.2f} s | |", flush=True)
        if not asked.without_cluster:
            text = sealed(OURS, folder / "cert.pem", many)
            decoder, at, found = json.JSONDecoder(), 0, []
            while text[at:].strip():
                value, at = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
                found.append(value)
            cluster_part(folder, key, {"kilde": asked.secrets, "real": asked.real_opens}, found)


if __name__ == "__main__":
    main()
