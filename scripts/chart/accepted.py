"""Has the service itself read each configuration that the chart makes: `accepted.py HELM PROGRAM`.

The files that the pods would have are laid out in a directory, with texts and certificates made up, and
`chatbridge doctor` reads the configuration as `serve` would. Nobody else is asked: Redis and 8x8 are ports on
loopback where nobody listens.
"""

import datetime
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from rendered import CHART, Object, configuration, deployment, of_kind, render

NOBODY = "127.0.0.1:1"
MASTER_KEY = "2026-11:YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY="
# What a key of a Secret holds, where it is not any text.
TEXTS = {
    "redis-url": f"rediss://chat:made-up@{NOBODY}/0",
    "webhook-path-secret": "made-up-path-secret",
    "master-keys": MASTER_KEY,
    "chat-v2-token-secret": "made-up-secret-that-signs-tokens-0000",
    "token-secret": "made-up-secret-that-signs-tokens-0000",
}


def certificate() -> tuple[str, str]:
    """A certificate for itself, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chatbridge")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("chatbridge")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


def signing_key() -> str:
    """A key that signs webhooks, as PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def lay_out(objects: list[Object], root: pathlib.Path, pem: tuple[str, str]) -> str:
    """Writes the files that the configuration names, where the pods mount them; answers the configuration."""
    text = configuration(objects)
    maps = {one["metadata"]["name"]: one["data"] for one in of_kind(objects, "ConfigMap")}
    secrets = {one["metadata"]["name"]: one["stringData"] for one in of_kind(objects, "Secret")}
    spec = deployment(objects)["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    for mount in spec["containers"][0]["volumeMounts"]:
        folder = root / mount["mountPath"].lstrip("/")
        folder.mkdir(parents=True)
        volume = volumes[mount["name"]]
        given = maps.get(volume.get("configMap", {}).get("name"), {})
        given = {**given, **secrets.get(volume.get("secret", {}).get("secretName"), {})}
        for key, content in given.items():
            (folder / key).write_text(content)
    for name, path in re.findall(r'^([a-z0-9_]+_file) = ("/.*")$', text, re.MULTILINE):
        file = root / json.loads(path).lstrip("/")
        if not file.parent.is_dir():
            sys.exit(f"error: {name} is in {file.parent.relative_to(root)}, where the pods mount nothing")
        if not file.exists():
            content = pem[1] if name.endswith("key_file") and "tls" in name else pem[0] if "tls" in name else ""
            file.write_text(content or TEXTS.get(file.name, "made-up"))
        file.chmod(0o600)
    return text


def without_network(text: str, root: pathlib.Path) -> str:
    """The configuration with files in that directory, ports on loopback, and nobody at the other ends."""
    text = text.replace('"/etc/chatbridge/', f'"{root}/etc/chatbridge/')
    text = re.sub(r'^(\w+_listen) = ".*"$', r'\1 = "127.0.0.1:0"', text, flags=re.MULTILINE)
    text = re.sub(r'^gateway_url = ".*"\n', "", text, flags=re.MULTILINE)
    text = re.sub(r'^redis_url = "([a-z+]+)://.*"$', rf'redis_url = "\1://{NOBODY}"', text, flags=re.MULTILINE)
    return f'gateway_url = "http://{NOBODY}"\n{text}'


def mistakes(helm: str, program: str, name: str, pem: tuple[str, str]) -> list[str]:
    """What the service says against the configuration of ci/NAME.yaml."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        text = lay_out(render(helm, name), root, pem)
        for url in root.rglob("redis-url"):
            url.write_text(re.sub(r"@[^/]+", f"@{NOBODY}", url.read_text()))
        file = root / "etc/chatbridge/config/chatbridge.toml"
        file.write_text(without_network(text, root))
        command = [program, "doctor", "--json", "--config", str(file)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={})
        if not ended.stdout.startswith("{"):
            return [ended.stderr]
        findings = json.loads(ended.stdout)["findings"]
    told = {finding["id"]: finding for finding in findings if finding["id"].startswith(("config.", "tls."))}
    if told.get("config.settings", {}).get("severity") != "ok":
        return [finding["sentence"] for finding in findings if finding["id"] == "config.settings"] or ["no finding"]
    return [f"{one['id']}: {one['sentence']}" for one in told.values() if one["severity"] == "error"]


def main(helm: str, program: str) -> None:
    """Tries all values files, and stops where the service refuses one."""
    pem = certificate()
    TEXTS["signing.pem"] = TEXTS["chat-v2-signing-key"] = signing_key()
    wrong = 0
    names = sorted(path.stem for path in (CHART / "ci").glob("*.yaml"))
    for name in names:
        for mistake in mistakes(helm, program, name, pem):
            wrong += 1
            print(f"error: ci/{name}.yaml: the service refuses its configuration: {mistake}", file=sys.stderr)
    if wrong:
        sys.exit(1)
    print(f"the service takes the configurations of {', '.join(names)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
