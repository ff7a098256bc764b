"""Builds the real programs that tests compare with: Kubernetes' own (API server, controllers, scheduler), etcd, kustomize, helm, kubeseal,
sops, Vault, a small operator, and Go's templates.

    python tools/build_real.py            # all but kube-scheduler and the older kube-apiservers
    python tools/build_real.py kustomize  # only that one

Each lands in .cache/real/<program>-<version>/ and is left alone when it is there. The versions and the hashes of everything that goes
into them are in tests/real/*/go.mod and go.sum. A first build takes ten minutes on two cores.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
NEEDS_GO = (1, 26)
KUBERNETES = "1.36.3"
SEALED_SECRETS = "0.27.1"


@dataclass(frozen=True, slots=True)
class Program:
    """One binary: the module folder under tests/real, the Go package, its version, stamps for the linker; built unless asked for others."""

    module: str
    package: str
    version: str
    stamps: str = ""
    by_default: bool = True


def _minor(version: str) -> str:
    return version.split(".")[1]


def _stamps(version: str) -> str:
    stamp = "-X k8s.io/component-base/version"
    return f"{stamp}.gitVersion=v{version} {stamp}.gitMajor=1 {stamp}.gitMinor={_minor(version)} {stamp}.gitTreeState=clean"


_STAMPS = _stamps(KUBERNETES)


def _kubectl(version: str) -> Program:
    """An older kubectl, to see that it gets along with what is served."""
    return Program(f"kubectl-1.{_minor(version)}", "k8s.io/kubernetes/cmd/kubectl", version, _stamps(version))


def _apiserver(version: str) -> Program:
    """An older kube-apiserver, to compare with what `--kubernetes-version` serves."""
    module, package = f"kubernetes-1.{_minor(version)}", "k8s.io/kubernetes/cmd/kube-apiserver"
    return Program(module, package, version, _stamps(version), by_default=False)


_KUSTOMIZE = "-X sigs.k8s.io/kustomize/api/provenance.version=v5.8.1"
PROGRAMS = {
    "etcd": Program("etcd", "go.etcd.io/etcd/server/v3", "3.6.6"),
    "kustomize": Program("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", "5.8.1", _KUSTOMIZE),
    "kustomize-oracle": Program("kustomize", "./oracle", "5.8.1", _KUSTOMIZE),
    "helm": Program(
        "helm", "helm.sh/helm/v3/cmd/helm", "3.22.0", "-X helm.sh/helm/v3/internal/version.version=v3.22.0"
    ),
    "helm4": Program("helm4", "helm.sh/helm/v4/cmd/helm", "4.3.2"),
    "operator": Program("operator", ".", "1"),
    "template-oracle": Program("templates", ".", "1"),
    "kube-apiserver": Program("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", KUBERNETES, _STAMPS),
    "kube-controller-manager": Program(
        "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", KUBERNETES, _STAMPS
    ),
    "kube-scheduler": Program(
        "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler", KUBERNETES, _STAMPS, by_default=False
    ),
    "sops": Program("sops", "github.com/getsops/sops/v3/cmd/sops", "3.9.4"),
    "vault": Program("vault", ".", "1.13.1"),
    "kubeseal": Program(
        "sealed-secrets",
        "github.com/bitnami-labs/sealed-secrets/cmd/kubeseal",
        SEALED_SECRETS,
        f"-X main.VERSION={SEALED_SECRETS}",
    ),
    "controller": Program(
        "sealed-secrets",
        "github.com/bitnami-labs/sealed-secrets/cmd/controller",
        SEALED_SECRETS,
        f"-X main.VERSION={SEALED_SECRETS}",
    ),
}
OLD_KUBECTLS = ("1.29.6", "1.31.14", "1.33.13")
OLD_APISERVERS = ("1.33.13", "1.34.4", "1.35.4")
PROGRAMS |= {f"kubectl-{version}": _kubectl(version) for version in OLD_KUBECTLS}
PROGRAMS |= {f"kube-apiserver-{version}": _apiserver(version) for version in OLD_APISERVERS}


def where(name: str, root: Path = ROOT) -> Path:
    """Where the program lies once it is built."""
    program = PROGRAMS[name]
    return root / ".cache" / "real" / f"{program.module}-{program.version}" / name


def go() -> str:
    """The go command; SystemExit with what to do when it is missing or too old."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    wanted = ".".join(map(str, NEEDS_GO))
    if found is None:
        raise SystemExit(f"error: go: not found (install Go {wanted} or newer to build the real control plane)")
    text = subprocess.run([found, "env", "GOVERSION"], check=True, capture_output=True, text=True).stdout
    version = re.match(r"go(\d+)\.(\d+)", text)
    if version is None or (int(version[1]), int(version[2])) < NEEDS_GO:
        raise SystemExit(f"error: go: is {text.strip()}, too old (install Go {wanted} or newer)")
    return found


def build(name: str, go_command: str) -> None:
    """Builds one program into its place; a build that breaks off leaves nothing there."""
    program, target = PROGRAMS[name], where(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{name}.{os.getpid()}")
    command = [go_command, "build", "-mod=readonly", "-trimpath", "-ldflags", f"-s -w {program.stamps}"]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local"}
    begun = time.monotonic()
    print(f"building {name} {program.version} ...", flush=True)
    try:
        subprocess.run(
            [*command, "-o", str(unfinished), program.package],
            check=True,
            cwd=ROOT / "tests" / "real" / program.module,
            env=environment,
        )
        unfinished.rename(target)
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"error: {name}: go build failed with code {error.returncode} (its words are above)") from None
    finally:
        unfinished.unlink(missing_ok=True)
    print(
        f"built {name} {program.version}: {time.monotonic() - begun:.0f} s, {target.stat().st_size >> 20} MiB",
        flush=True,
    )


DEFINITIONS = "definitions"


def definitions(root: Path = ROOT) -> Path:
    """Where the CustomResourceDefinitions of others lie once they are fetched, a folder for each module."""
    return root / ".cache" / "real" / DEFINITIONS


def fetch_definitions(go_command: str) -> None:
    """Fetches the modules of tests/real/definitions/modules.txt and takes their definitions out; a module with another hash is refused."""
    lines = (ROOT / "tests" / "real" / DEFINITIONS / "modules.txt").read_text().splitlines()
    for module, version, wanted, glob in (line.split() for line in lines if not line.startswith("#")):
        target = definitions() / f"{module.replace('/', '_')}-{version}"
        if target.is_dir():
            continue
        command = [go_command, "mod", "download", "-json", f"{module}@{version}"]
        environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"}
        told = subprocess.run(
            command, check=False, capture_output=True, text=True, env=environment, cwd=ROOT / "tools"
        ).stdout
        found = json.loads(
            told or "{}"
        )  # with an Error for a module that wants a newer Go; its files are there all the same
        if found.get("Sum") != wanted:
            raise SystemExit(f"error: {module}@{version}: {found.get('Error') or 'has another hash than modules.txt'}")
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        unfinished.mkdir(parents=True)
        with zipfile.ZipFile(found["Zip"]) as archive:
            for name in archive.namelist():
                if PurePosixPath(name.removeprefix(f"{module}@{version}/")).match(glob):
                    (unfinished / PurePosixPath(name).name).write_bytes(archive.read(name))
        unfinished.rename(target)
        print(f"fetched the definitions of {module} {version}", flush=True)


def main() -> None:
    """Builds what is asked for and missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", help=f"of: {', '.join([*PROGRAMS, DEFINITIONS])}")
    asked = parser.parse_args().programs or [name for name, program in PROGRAMS.items() if program.by_default]
    if not parser.parse_args().programs or DEFINITIONS in asked:
        fetch_definitions(go())
    asked = [name for name in asked if name != DEFINITIONS]
    unknown = [name for name in asked if name not in PROGRAMS]
    if unknown:
        parser.error(f"unknown program: {', '.join(unknown)}")
    missing = [name for name in asked if not where(name).exists()]
    if not missing:
        return
    command = go()
    for name in missing:
        build(name, command)


if __name__ == "__main__":
    main()
