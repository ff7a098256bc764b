"""`kilde check` on a repository of many applications: one file changed, and all of it; wall and CPU seconds, memory.

Run: python benchmarks/check.py [--applications 1000] [--bases 20]
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

URL = "https://git.example/team/config"
APPLICATION = (
    """apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: app-{0}, namespace: argocd}}
spec:
  project: default
  source: {{repoURL: '"""
    + URL
    + """', path: overlays/app-{0}}}
  destination: {{server: 'https://kubernetes.default.svc', namespace: app-{0}}}
"""
)
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example/web:1.2.3
          ports: [{name: http, containerPort: 8080}]
          envFrom: [{configMapRef: {name: web}}]
"""
SERVICE = """apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
"""
OVERLAY = """resources: [../../base/{0}]
namespace: app-{1}
labels: [{{pairs: {{team: team-{1}}}, includeSelectors: true}}]
configMapGenerator: [{{name: web, files: [web.properties]}}]
"""


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def measured(folder: Path, *arguments: str) -> str:
    """One run as a process."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    program = Path(sys.executable).with_name("kilde")
    done = subprocess.run([program, "check", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{wall:5.1f} s wall, {cpu:5.1f} s CPU, {after.ru_maxrss >> 10} MiB at most: {done.stdout.strip().splitlines()[-1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--applications", type=int, default=1000)
    parser.add_argument("--bases", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        git(folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "remote", "add", "origin", URL)
        for number in range(asked.bases):
            base = f"base/{number}"
            write(folder, {f"{base}/kustomization.yaml": "resources: [deployment.yaml, service.yaml]\n"})
            write(folder, {f"{base}/deployment.yaml": DEPLOYMENT, f"{base}/service.yaml": SERVICE})
        for number in range(asked.applications):
            overlay = f"overlays/app-{number}"
            write(folder, {f"argocd/app-{number}.yaml": APPLICATION.format(number)})
            write(folder, {f"{overlay}/kustomization.yaml": OVERLAY.format(number % asked.bases, number)})
            write(folder, {f"{overlay}/web.properties": f"number={number}\n"})
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "All")
        write(folder, {"overlays/app-0/web.properties": "number=changed\n"})
        git(folder, "commit", "--quiet", "--all", "--message", "One file")
        print("one file changed:", measured(folder, "--base", "HEAD~1", "--head", "HEAD"))
        write(folder, {"base/0/service.yaml": SERVICE.replace("port: 80,", "port: 81,")})
        print("one base changed:", measured(folder, "--base", "HEAD"))
        print("everything:      ", measured(folder))


if __name__ == "__main__":
    main()
