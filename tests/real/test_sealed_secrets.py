"""Both ways between Kilde and the real Sealed Secrets: values, keys, renewal; on a real API server."""

import base64
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.secrets.keys_at_hand import private, sealing_key
from e2e.stage import free_port
from kilde.core.secrets import documents, json_text, templates
from kilde.core.secrets.keys import write_private_key
from kilde.core.secrets.opening import open_sealed
from kilde.core.secrets.scope import Scope
from kilde.core.secrets.sealing import Sealer, prepared
from real.control_plane import ControlPlane
from real.sealed_secrets import kubectl, kubeseal, our_controller, real_controller, required
from warm.program import warm_kilde

KEYS = st.text(alphabet="abcXYZ019._-", min_size=1, max_size=10)
PRINTABLE = st.characters(exclude_categories=("Cc", "Cs", "Co", "Cn"))  # kubeseal cannot print the others as YAML
VALUES = st.dictionaries(KEYS, st.binary(max_size=60), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def key_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """key.pem and cert.pem."""
    required("kubeseal")
    folder = tmp_path_factory.mktemp("keys")
    (folder / "key.pem").write_bytes(write_private_key(private()))
    (folder / "cert.pem").write_bytes(sealing_key().pem)
    return folder


def secret(name: str, values: dict[str, bytes], **metadata: Any) -> dict[str, Any]:
    data = {key: base64.b64encode(value).decode() for key, value in values.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "shop", **metadata},
        "data": data,
    }


def held(body: dict[str, Any]) -> dict[str, bytes]:
    return {key: base64.b64decode(value or "") for key, value in (body.get("data") or {}).items()}


@given(values=VALUES, scope=st.sampled_from(list(Scope)))
@settings(
    max_examples=10,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_kubeseal_opens_what_we_seal(key_files: Path, values: dict[str, bytes], scope: Scope) -> None:
    ready = prepared(secret("db", values), about="x", namespace=str, scope=scope)
    sealed = json_text.write(Sealer(private().public_key(), os.urandom).sealed(ready, about="x"))

    opened = kubeseal("--recovery-unseal", "--recovery-private-key", str(key_files / "key.pem"), stdin=sealed)
    assert held(json.loads(opened)) == values


@given(values=VALUES, scope=st.sampled_from(list(Scope)))
@settings(
    max_examples=10,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_we_open_what_kubeseal_seals(key_files: Path, values: dict[str, bytes], scope: Scope) -> None:
    text = json.dumps(secret("db", values))
    sealed = kubeseal("--cert", str(key_files / "cert.pem"), "--scope", str(scope), stdin=text)

    (body,) = documents.read(sealed.encode(), file="x")
    opened = open_sealed(documents.sealed_secret(body, about="x"), [private()], templates.render)
    assert held(opened) == values


@given(
    name=st.text(alphabet="abc-", min_size=1),
    text=st.text(PRINTABLE, max_size=30),
    extra=st.dictionaries(KEYS, st.text(PRINTABLE, max_size=20), max_size=2),
)
@settings(
    max_examples=10,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_we_print_what_kubeseal_prints(key_files: Path, name: str, text: str, extra: dict[str, str]) -> None:
    body = secret(name, {}, labels=extra, annotations={"note": text})
    body |= {"stringData": {"k": "v"}, "type": text or "Opaque"}
    for form in ("json", "yaml"):
        arguments = ("--cert", str(key_files / "cert.pem"), "-o", form)
        ours = subprocess.run(
            [str(warm_kilde()), "seal", *arguments], input=json.dumps(body), capture_output=True, text=True
        )
        assert without_value(ours.stdout) == without_value(kubeseal(*arguments, stdin=json.dumps(body)))


def without_value(text: str) -> list[str]:
    """The lines, but the one with the sealed value."""
    return [line for line in text.splitlines() if not line.lstrip().startswith(("k: ", '"k": '))]


class Shop:
    """A namespace of a real cluster, and what is sealed into it."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig

    def apply(self, text: str) -> None:
        kubectl(self.kubeconfig, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)

    def get(self, *what: str) -> dict[str, Any]:
        text = kubectl(self.kubeconfig, "get", *what, "-o", "json", "--ignore-not-found")
        found: dict[str, Any] = json.loads(text or "{}")
        return found

    def values(self, name: str) -> dict[str, bytes]:
        return held(self.get("secret", name, "-n", "shop"))

    def keys(self) -> set[str]:
        found = self.get("secrets", "-n", "kube-system", "-l", "sealedsecrets.bitnami.com/sealed-secrets-key=active")
        return {item["metadata"]["name"] for item in found["items"]}

    def opens(self, name: str, values: dict[str, bytes]) -> None:
        until(
            lambda: self.values(name) == values, f"{name}: {self.get('sealedsecret', name, '-n', 'shop').get('status')}"
        )

        def synced() -> bool:
            status = self.get("sealedsecret", name, "-n", "shop").get("status") or {}
            return [condition["status"] for condition in status.get("conditions") or ()] == ["True"]

        until(synced, f"{name} Synced")


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.1)


def certificate(url: str) -> str:
    with urllib.request.urlopen(f"{url}/v1/cert.pem", timeout=10) as answer:
        return str(answer.read().decode())


def seal_with(program: str, cert: str, name: str, scope: str, values: dict[str, bytes]) -> str:
    text = json.dumps(secret(name, values))
    if program == "kubeseal":
        return kubeseal("--cert", cert, "--scope", scope, stdin=text)
    command = [str(warm_kilde()), "seal", "--cert", cert, "--scope", scope]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_values_and_keys_go_both_ways(live_cluster: ControlPlane, tmp_path: Path) -> None:
    required("kubeseal", "controller")
    shop = Shop(live_cluster.kubeconfig)
    printed = subprocess.run([str(warm_kilde()), "install", "--crds"], check=True, capture_output=True, text=True)
    shop.apply(printed.stdout)
    shop.apply('{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}')
    values = {"k": b"v", "bin": bytes(range(256)), "empty": b""}

    # the real controller makes a key; what we seal to it, it opens
    with real_controller(shop.kubeconfig, tmp_path, free_port(), "--key-size=2048") as url:
        for scope in Scope:
            shop.apply(seal_with("kilde", f"{url}/v1/cert.pem", f"ours-{scope}", str(scope), values))
            shop.opens(f"ours-{scope}", values)
        first, its_keys = certificate(url), shop.keys()
        (tmp_path / "first.pem").write_text(first)

    # its key is ours now: same certificate, same Secrets, what kubeseal sealed opens; then we make a second one
    address = f"127.0.0.1:{free_port()}"
    with our_controller(shop.kubeconfig, tmp_path, address, "--key-size=2048", "--key-renew-period=0") as process:
        assert certificate(f"http://{address}") == first
        assert shop.keys() == its_keys
        for scope in Scope:
            shop.apply(seal_with("kubeseal", f"http://{address}/v1/cert.pem", f"theirs-{scope}", str(scope), values))
            shop.opens(f"theirs-{scope}", values)
            assert shop.values(f"ours-{scope}") == values
        process.send_signal(signal.SIGUSR1)
        until(lambda: certificate(f"http://{address}") != first, "a new key")
        second = certificate(f"http://{address}")
        for program, cert in (("kubeseal", f"http://{address}/v1/cert.pem"), ("kilde", str(tmp_path / "first.pem"))):
            shop.apply(seal_with(program, cert, f"after-{program}", "strict", values))
            shop.opens(f"after-{program}", values)
    assert len(shop.keys()) == len(its_keys) + 1

    # and the real one takes ours over: serves it as the newest, and opens what is sealed to either
    with real_controller(shop.kubeconfig, tmp_path, free_port(), "--key-size=2048") as url:
        assert certificate(url) == second
        for program, cert in (("kilde", f"{url}/v1/cert.pem"), ("kubeseal", str(tmp_path / "first.pem"))):
            shop.apply(seal_with(program, cert, f"back-{program}", "strict", {"more": b"1"}))
            shop.opens(f"back-{program}", {"more": b"1"})
        # our format for several recipients is none of its own: it says so, and makes nothing
        (tmp_path / "elsewhere.pem").write_bytes(sealing_key(5).pem)
        both = ("seal", "--cert", f"{url}/v1/cert.pem", "--cert", str(tmp_path / "elsewhere.pem"))
        text = json.dumps(secret("both", {"k": b"v"}))
        sealed = subprocess.run([str(warm_kilde()), *both], input=text, capture_output=True, text=True, check=True)
        shop.apply(sealed.stdout)

        def message() -> str:
            conditions = (shop.get("sealedsecret", "both", "-n", "shop").get("status") or {}).get("conditions")
            return str((conditions or [{}])[0].get("message"))

        until(lambda: message() == "no key could decrypt secret (k)", "the real one's refusal")
        assert shop.get("secret", "both", "-n", "shop") == {}
    with our_controller(shop.kubeconfig, tmp_path, address, "--key-size=2048", "--key-renew-period=0"):
        shop.opens("both", {"k": b"v"})
    kubectl(shop.kubeconfig, "delete", "namespace", "shop", "--wait=false")


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kubeseal_reaches_our_controller_through_a_real_api_server(live_cluster: ControlPlane, tmp_path: Path) -> None:
    required("kubeseal")
    shop = Shop(live_cluster.kubeconfig)
    printed = subprocess.run([str(warm_kilde()), "install", "--crds"], check=True, capture_output=True, text=True)
    shop.apply(printed.stdout)
    address, port = own_address(), free_port()
    with our_controller(shop.kubeconfig, tmp_path, f"{address}:{port}", "--key-size=2048", "--key-renew-period=0"):
        behind_a_service(shop, address, port)
        until(lambda: bool(kubeseal("--fetch-cert", kubeconfig=shop.kubeconfig)), "the certificate")
        sealed = kubeseal("-o", "yaml", stdin=json.dumps(secret("db", {"k": b"v"})), kubeconfig=shop.kubeconfig)
        assert kubeseal("--validate", stdin=sealed, kubeconfig=shop.kubeconfig) == ""
        again = kubeseal("--re-encrypt", stdin=sealed, kubeconfig=shop.kubeconfig)
        env = {**os.environ, "KUBECONFIG": str(shop.kubeconfig)}
        command = [str(warm_kilde()), "seal", "--validate"]
        assert subprocess.run(command, input=again, text=True, env=env).returncode == 0
        refused = subprocess.run(
            command, input=again.replace('"db"', '"other"'), text=True, env=env, capture_output=True
        )
        assert (refused.returncode, refused.stderr) == (1, "error: unable to decrypt sealed secret: other\n")


def own_address() -> str:
    """An address of this machine that is not its loopback: a real API server goes to no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but its loopback")
        return str(probe.getsockname()[0])


def behind_a_service(shop: Shop, address: str, port: int) -> None:
    """A Service whose endpoint is a pod of that address."""
    where = {"namespace": "kube-system"}
    until(lambda: bool(shop.get("serviceaccount", "default", "-n", "kube-system")), "the service account")
    pod = {"containers": [{"name": "c", "image": "kilde.invalid/kilde"}], "automountServiceAccountToken": False}
    shop.apply(
        json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "kilde-seal", **where}, "spec": pod})
    )
    status = json.dumps({"status": {"podIP": address, "podIPs": [{"ip": address}], "phase": "Running"}})
    kubectl(
        shop.kubeconfig,
        "patch",
        "pod",
        "kilde-seal",
        "-n",
        "kube-system",
        "--subresource=status",
        "--type=merge",
        "-p",
        status,
    )
    name = {"name": "sealed-secrets-controller", **where}
    ports = [{"name": "http", "port": port}]
    shop.apply(json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": name, "spec": {"ports": ports}}))
    target = {"kind": "Pod", "name": "kilde-seal", "namespace": "kube-system"}
    subsets = [{"addresses": [{"ip": address, "targetRef": target}], "ports": ports}]
    shop.apply(json.dumps({"apiVersion": "v1", "kind": "Endpoints", "metadata": name, "subsets": subsets}))
