"""What the chart renders, for the checks beside it."""

import pathlib
import subprocess
import tempfile
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "chatbridge"
# Helm 3 takes itself to be before a Kubernetes that is too old, when it was built from source.
KUBERNETES = ["--kube-version", "1.35.0"]

Object = dict[str, Any]


def render(helm: str, name: str, changes: dict[str, Any] | None = None) -> list[Object]:
    """The objects of ci/NAME.yaml, with these values laid over."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(changes or {}, file)
        file.flush()
        command = [helm, "template", "release", str(CHART), "--namespace", "chat", *KUBERNETES]
        command += ["-f", str(CHART / "ci" / f"{name}.yaml"), "-f", file.name]
        text = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    """Those of one kind."""
    return [one for one in objects if one["kind"] == kind]


def deployment(objects: list[Object]) -> Object:
    """The Deployment."""
    return of_kind(objects, "Deployment")[0]


def configuration(objects: list[Object]) -> str:
    """The service's configuration."""
    maps = [one["data"].get("chatbridge.toml") for one in of_kind(objects, "ConfigMap")]
    return str(next(text for text in maps if text))
