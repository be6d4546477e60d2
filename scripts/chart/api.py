"""Installs the chart in a real API server: `api.py SERVERS HELMS CRD...`.

SERVERS has etcd and kube-apiserver, HELMS has helm4 and helm3. There is no cluster behind it: no pod ever runs. What
an API server does is done: defaults, validation of every field and of the rules that schemas cannot say (CEL of
custom resources among them), admission by the restricted pod security standard, and what Helm makes of an upgrade and
a rollback. All is on loopback, and ends with the script.
"""

import contextlib
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from rendered import CHART, deployment, of_kind, render

TOKEN = "made-up-token"
NAMESPACE = "chat"
PATIENCE = 180
STOPS_WITHIN = 20


def free_port() -> int:
    """A port on loopback where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Api:
    """A client of the API server."""

    def __init__(self, port: int) -> None:
        """Of the one at that port, whose certificate it made itself a moment ago."""
        self.url = f"https://127.0.0.1:{port}"
        self.context = ssl._create_unverified_context()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request; a refusal is a `urllib.error.HTTPError`."""
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60, context=self.context) as answer:
            text = answer.read()
        return json.loads(text) if text.startswith(b"{") else text

    def wait(self, path: str, what: str, log: pathlib.Path) -> None:
        """Waits until that path answers."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                self.call("GET", path)
                return
            time.sleep(0.2)
        sys.exit(f"error: {what} did not come:\n{log.read_text()[-3000:]}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a server, whether it wants to or not: nothing that it holds is needed any more."""
    process.terminate()
    try:
        process.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def server(bin_dir: pathlib.Path, scratch: pathlib.Path) -> Iterator[Api]:
    """Runs etcd and an API server."""
    etcd_port, peer_port, port = free_port(), free_port(), free_port()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key_file = scratch / "accounts.pem"
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    (scratch / "tokens.csv").write_text(f'{TOKEN},tester,1,"system:masters"\n')
    etcd_url, peer_url = f"http://127.0.0.1:{etcd_port}", f"http://127.0.0.1:{peer_port}"
    etcd = [str(bin_dir / "etcd"), f"--data-dir={scratch}/etcd", f"--listen-client-urls={etcd_url}"]
    etcd += [f"--advertise-client-urls={etcd_url}", f"--listen-peer-urls={peer_url}"]
    etcd += [
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=default={peer_url}",
        "--unsafe-no-fsync",
    ]
    apiserver = [str(bin_dir / "kube-apiserver"), f"--etcd-servers={etcd_url}", f"--secure-port={port}"]
    apiserver += ["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--cert-dir={scratch}/certs"]
    apiserver += ["--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/16,fd00:96::/108"]
    apiserver += ["--authorization-mode=RBAC", f"--token-auth-file={scratch}/tokens.csv"]
    apiserver += ["--service-account-issuer=https://kubernetes.default.svc"]
    apiserver += [f"--service-account-key-file={key_file}", f"--service-account-signing-key-file={key_file}"]
    log = scratch / "servers.log"
    with log.open("wb") as out:
        running = [subprocess.Popen(command, stdout=out, stderr=out) for command in (etcd, apiserver)]
        try:
            api = Api(port)
            api.wait("/readyz", "the API server", log)
            yield api
        finally:
            # The API server first: without its etcd it takes for ever to end.
            for process in reversed(running):
                end(process)


def define(api: Api, files: list[str], log: pathlib.Path) -> None:
    """Has the custom resources of the files known."""
    for file in files:
        for crd in yaml.load_all(pathlib.Path(file).read_text(), Loader=yaml.CSafeLoader):
            if not crd or crd["kind"] != "CustomResourceDefinition":
                continue
            api.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
            group, names = crd["spec"]["group"], crd["spec"]["names"]
            version = next(one["name"] for one in crd["spec"]["versions"] if one["served"])
            path = f"/apis/{group}/{version}/{names['plural']}"
            api.wait(path, names["kind"], log)


def kubeconfig(api: Api, file: pathlib.Path) -> None:
    """Writes by what Helm reaches the server."""
    cluster = {"server": api.url, "insecure-skip-tls-verify": True}
    context = {"cluster": "test", "user": "test", "namespace": NAMESPACE}
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": context}],
        "current-context": "test",
    }
    file.write_text(yaml.safe_dump(whole))


def helm(program: pathlib.Path, scratch: pathlib.Path, *arguments: str) -> str:
    """Runs Helm against the server."""
    env = {**os.environ, "KUBECONFIG": str(scratch / "kubeconfig"), "HOME": str(scratch)}
    command = [str(program), *arguments, "--namespace", NAMESPACE]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=env)
    if ended.returncode != 0:
        sys.exit(f"error: {program.name} {' '.join(arguments)}: {ended.stderr}")
    if "would violate PodSecurity" in ended.stderr:
        sys.exit(f"error: {program.name}: {ended.stderr}")
    return ended.stdout


def install(program: pathlib.Path, scratch: pathlib.Path, api: Api, name: str) -> int:
    """Installs, upgrades, rolls back and uninstalls; answers how many objects there were."""
    values = ["--values", str(CHART / "ci" / f"{name}.yaml")]
    helm(program, scratch, "install", "release", str(CHART), *values)
    objects = [one for one in yaml.safe_load_all(helm(program, scratch, "get", "manifest", "release")) if one]
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{deployment(objects)['metadata']['name']}"
    before = api.call("GET", path)
    helm(program, scratch, "upgrade", "release", str(CHART), *values, "--set", "settings.heartbeat_ms=9999")
    upgraded = api.call("GET", path)
    helm(program, scratch, "rollback", "release", "1")
    after = api.call("GET", path)
    if before["spec"]["template"] == upgraded["spec"]["template"]:
        sys.exit(f"error: {program.name}: an upgrade did not change the pods")
    if before["spec"] != after["spec"]:
        sys.exit(f"error: {program.name}: a rollback did not bring back what was before")
    helm(program, scratch, "uninstall", "release", "--wait")
    return len(objects)


def admit_pods(api: Api, helm4: pathlib.Path, name: str) -> int:
    """Makes each kind of pod in a namespace that takes restricted ones alone; answers how many."""
    objects = render(str(helm4), name)
    account = of_kind(objects, "ServiceAccount")[0]
    api.call("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", account)
    template = deployment(objects)["spec"]["template"]
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "server"}, "spec": template["spec"]}]
    pods += of_kind(objects, "Pod")
    for pod in pods:
        api.call("POST", f"/api/v1/namespaces/{NAMESPACE}/pods", pod)
    root = json.loads(json.dumps(pods[0]))
    root["metadata"]["name"] = "root"
    root["spec"]["containers"][0]["securityContext"]["capabilities"] = {}
    try:
        api.call("POST", f"/api/v1/namespaces/{NAMESPACE}/pods", root)
    except urllib.error.HTTPError as refused:
        if b"violates PodSecurity" in refused.read():
            return len(pods)
    sys.exit("error: the namespace takes pods that are not restricted, so nothing was tested")


def main(servers: str, helms: str, *crds: str) -> None:
    """Does it all, and stops where something is refused."""
    bin_dir = pathlib.Path(helms)
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        with server(pathlib.Path(servers), scratch) as api:
            version = api.call("GET", "/version")["gitVersion"]
            define(api, list(crds), scratch / "servers.log")
            kubeconfig(api, scratch / "kubeconfig")
            label = {"pod-security.kubernetes.io/enforce": "restricted"}
            api.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE, "labels": label}})
            classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
            api.call("POST", classes, {"metadata": {"name": "business"}, "value": 1000})
            names = sorted(path.stem for path in (CHART / "ci").glob("*.yaml"))
            for name in names:
                for program in ("helm4", "helm3"):
                    count = install(bin_dir / program, scratch, api, name)
                    print(f"{name} with {program}: {count} objects installed, upgraded, rolled back", flush=True)
            print(f"{admit_pods(api, bin_dir / 'helm4', 'full')} pods admitted as restricted")
            print(f"all that in an API server that says it is {version}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except urllib.error.HTTPError as error:
        sys.exit(f"error: {error.url}: {error.code} {error.read().decode()[:2000]}")
