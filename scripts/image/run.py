"""Runs the image's files as a container would: `run.py DIRECTORY`, in namespaces of its own.

The root directory is a copy of them, read-only, with what the pods of the chart mount and what every container gets
(/etc/hosts, /etc/resolv.conf, the devices of /dev), and nothing more: no /tmp, no shell, no library. The user is
65532, without any right. The service finds Redis by DNS, and its health is asked for by a name in /etc/hosts.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import socketserver
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

USER = 65532
# Devices that the OCI runtime specification gives every container, by their numbers. A static program takes chance
# from one of them.
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9)}
PATIENCE = 60
CONFIG = "/etc/chatbridge/config/chatbridge.toml"
# As the chart writes it: everything that is a secret in a file of its own.
SETTINGS = """
redis_url_file = "/etc/chatbridge/secrets/chatbridge/redis-url"
grpc_listen = "0.0.0.0:50051"
webhook_listen = "0.0.0.0:8080"
admin_listen = "0.0.0.0:9090"
gateway_url = "http://127.0.0.1:1"
token_sha256 = "{hash}"
drain_spread_ms = 0

[[tenants]]
id = "acme"
api_key_file = "/etc/chatbridge/secrets/chatbridge/api-key-acme"
"""


def loopback_up() -> None:
    """Brings up the one interface of the new network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        up_and_running = 0x1 | 0x40
        fcntl.ioctl(one, 0x8914, struct.pack("16sh14x", b"lo", up_and_running))


class Names(socketserver.BaseRequestHandler):
    """A name server, to which every name with an IPv4 address is this machine, if it ends in .dns.test."""

    def handle(self) -> None:
        """Answers one question."""
        data, wire = self.request
        end = data.index(b"\0", 12) + 5
        question, kind = data[12:end], struct.unpack("!H", data[end - 4 : end - 2])[0]
        known = question[:-4].endswith(b"\x03dns\x04test\0")
        answer = (
            b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1]) if known and kind == 1 else b""
        )
        flags = 0x8180 if known else 0x8183
        wire.sendto(
            data[:2] + struct.pack("!HHHHH", flags, 1, int(bool(answer)), 0, 0) + question + answer,
            self.client_address,
        )


def lay_out(image: pathlib.Path, root: pathlib.Path, directory: pathlib.Path) -> None:
    """Makes the root directory, and makes it read-only."""
    shutil.copytree(image, root, symlinks=True)
    secrets = root / "etc/chatbridge/secrets/chatbridge"
    secrets.mkdir(parents=True)
    (root / CONFIG.lstrip("/")).parent.mkdir(parents=True)
    (root / CONFIG.lstrip("/")).write_text(SETTINGS.format(hash="0" * 64))
    for name, text in {"redis-url": "redis://redis.dns.test:6379/0", "api-key-acme": "made-up"}.items():
        (secrets / name).write_text(text)
        os.chown(secrets / name, 0, USER)
        (secrets / name).chmod(0o440)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.0.1 health.hosts.test\n")
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\noptions ndots:5\n")
    (root / "dev").mkdir()
    for name, (major, minor) in DEVICES.items():
        os.mknod(root / "dev" / name, stat.S_IFCHR, os.makedev(major, minor))
        (root / "dev" / name).chmod(0o666)
    directory.chmod(0o755)
    subprocess.run(["mount", "--bind", root, root], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", root], check=True)


def inside(root: pathlib.Path, *arguments: str) -> list[str]:
    """A command line that runs the program there, as the user, for whom no right can come back."""
    setpriv, chroot = shutil.which("setpriv"), shutil.which("chroot")
    if setpriv is None or chroot is None:
        sys.exit("error: setpriv or chroot is missing; install util-linux and coreutils")
    become = [setpriv, "--no-new-privs", chroot, f"--userspec={USER}:{USER}", "--groups=", str(root)]
    return [*become, "/chatbridge", *arguments]


def eventually(what: str, service: subprocess.Popen[bytes], happened: str, test: object) -> None:
    """Waits until the test holds, and fails where it does not or the service ends."""
    end = time.monotonic() + PATIENCE
    while not (callable(test) and test()):
        if service.poll() is not None:
            sys.exit(f"error: the service ended with {service.returncode} before {what}")
        if time.monotonic() > end:
            sys.exit(f"error: {what} did not come: {happened}")
        time.sleep(0.1)
    print(what)


def is_ready() -> bool:
    """Whether the admin port says so."""
    with contextlib.suppress(OSError), urllib.request.urlopen("http://127.0.0.1:9090/readyz", timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def rights(process: int) -> dict[str, str]:
    """What the kernel says that a process may do."""
    lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def check_rights(process: int, root: pathlib.Path) -> None:
    """Stops where the process may do more than it should."""
    told = rights(process)
    wanted = {
        "Uid": f"{USER}\t" * 3 + str(USER),
        "CapEff": "0" * 16,
        "CapPrm": "0" * 16,
        "NoNewPrivs": "1",
    }
    for name, value in wanted.items():
        if told[name] != value:
            sys.exit(f"error: {name} of the service is {told[name]!r} instead of {value!r}")
    if os.readlink(f"/proc/{process}/root") != str(root):
        sys.exit("error: the service has another root directory")
    try:
        (root / "tmp").mkdir()
    except OSError:
        print("its root is read-only and has no /tmp; it is no one and may do nothing")
        return
    sys.exit("error: its root can be written to")


def run(image: pathlib.Path, directory: pathlib.Path) -> None:
    """Starts Redis, names and the service, and checks that it serves and stops."""
    root = directory / "root"
    lay_out(image, root, directory)
    names = socketserver.ThreadingUDPServer(("127.0.0.1", 53), Names)
    threading.Thread(target=names.serve_forever, daemon=True).start()
    redis = ["redis-server", "--bind", "127.0.0.1", "--save", "", "--dir", str(directory), "--logfile", "redis.log"]
    log = directory / "service.log"
    with log.open("wb") as out, subprocess.Popen(redis) as server:
        service = subprocess.Popen(inside(root, "serve", "--config", CONFIG), stdout=out, stderr=out, env={})
        try:
            eventually("it is ready", service, "see below", is_ready)
            ask = inside(root, "health", "--server=http://health.hosts.test:9090")
            answer = subprocess.run(ask, capture_output=True, text=True, env={}, check=False, timeout=PATIENCE)
            if answer.stdout != "SERVING\n":
                sys.exit(f"error: by a name of /etc/hosts: {answer.stdout}{answer.stderr}")
            print("a name in /etc/hosts is found")
            ask.append("--service=chatbridge.v1.AgentEventService")
            eventually(
                "Redis is found by DNS, and calls are served",
                service,
                "health stays NOT_SERVING",
                lambda: subprocess.run(ask, stdout=subprocess.DEVNULL, env={}, check=False).returncode == 0,
            )
            check_rights(service.pid, root)
            service.send_signal(signal.SIGTERM)
            if service.wait(PATIENCE) != 0:
                sys.exit(f"error: it stopped with {service.returncode}")
            print("it stops when told to")
        except BaseException:
            print(log.read_text(), file=sys.stderr)
            service.kill()
            raise
        finally:
            server.terminate()


if __name__ == "__main__":
    loopback_up()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            run(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(scratch))
        finally:
            # The mount goes with the namespace, but the copy below it must go before.
            subprocess.run(["umount", pathlib.Path(scratch) / "root"], check=False)
