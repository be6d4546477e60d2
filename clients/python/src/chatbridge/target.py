"""Where the service is, and how it is spoken to."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc

from chatbridge.version import __version__

Pem = bytes | str | os.PathLike[str]

_OPTIONS: Mapping[str, Any] = {
    # A dead connection shows within 40 s even where no packet tells of it; idle clients send nothing.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.keepalive_permit_without_calls": 0,
    "grpc.http2.max_pings_without_data": 0,
    # A page of 100 messages of 64 KiB each does not fit into gRPC's default of 4 MiB.
    "grpc.max_receive_message_length": 16 * 1024 * 1024,
    # gRPC's default of two minutes would outlast a restart of the server by far.
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.min_reconnect_backoff_ms": 5_000,
    "grpc.max_reconnect_backoff_ms": 5_000,
    # So would half a minute until a name that stands for new addresses by now is looked up again.
    "grpc.dns_min_time_between_resolutions_ms": 5_000,
    # Channels share connections otherwise, and a new channel would get the dead one.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.service_config": json.dumps({"loadBalancingConfig": [{"round_robin": {}}]}),
    "grpc.primary_user_agent": f"chatbridge-python/{__version__}",
}


class Address:
    """A gRPC target with the credentials and options that a channel to it needs."""

    def __init__(
        self,
        target: str | Sequence[str],
        *,
        tls: bool | None,
        ca: Pem | None,
        certificate: Pem | None,
        key: Pem | None,
        options: Mapping[str, Any],
    ) -> None:
        """Reads the files; `options` win over the library's own."""
        targets = [target] if isinstance(target, str) else list(target)
        if not targets or not all(targets):
            raise ValueError("the target is empty: it should be such as host:50051")
        if (certificate is None) != (key is None):
            raise ValueError("a client certificate needs both certificate= and key=")
        schemes = {scheme for scheme in map(_scheme, targets) if scheme is not None}
        targets = [_without_scheme(one) for one in targets]
        if tls is None:
            tls = _wants_tls(targets, schemes, given=ca is not None or certificate is not None)
        elif not tls and (ca is not None or certificate is not None):
            raise ValueError("tls=False contradicts ca= and certificate=")
        self.target, own = _joined(targets)
        self.credentials = _credentials(ca, certificate, key) if tls else None
        self.options = list({**_OPTIONS, **own, **options}.items())


def _scheme(target: str) -> str | None:
    for scheme in ("http", "https"):
        if target.startswith(f"{scheme}://"):
            return scheme
    return None


def _without_scheme(target: str) -> str:
    scheme = _scheme(target)
    if scheme is None:
        return target
    host = target.removeprefix(f"{scheme}://").rstrip("/")
    if "/" in host:
        raise ValueError(f"the target {target!r} has a path, which gRPC does not have")
    if not _has_port(host):
        host = f"{host}:{443 if scheme == 'https' else 80}"
    return host


def _has_port(host: str) -> bool:
    return host.rpartition("]")[2].count(":") == 1


def _wants_tls(targets: Sequence[str], schemes: set[str], *, given: bool) -> bool:
    if len(schemes) > 1:
        raise ValueError("some of the targets are http and some https")
    if schemes:
        if "http" in schemes and given:
            raise ValueError("a target that begins with http:// contradicts ca= and certificate=")
        return schemes == {"https"}
    return given or not all(map(_is_of_this_machine, targets))


def _is_of_this_machine(target: str) -> bool:
    """Whether what is sent there does not leave the machine."""
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    host = _host(target.rpartition("/")[2])
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(address: str) -> str:
    for scheme in ("ipv4:", "ipv6:", "dns:"):
        address = address.removeprefix(scheme)
    if address.startswith("["):
        return address[1:].partition("]")[0]
    # More than one colon without brackets is an IPv6 address without a port.
    return address.rpartition(":")[0] if address.count(":") == 1 else address


def _joined(targets: Sequence[str]) -> tuple[str, Mapping[str, Any]]:
    """One target that stands for all, and the options that it needs."""
    if len(targets) == 1:
        return targets[0], {}
    versions = set()
    for target in targets:
        try:
            versions.add(ipaddress.ip_address(_host(target)).version)
        except ValueError:
            raise ValueError(
                f"{target!r} is no IP address: several targets must be such as 10.0.0.1:50051; "
                "a name that stands for several addresses is one target, dns:///name:50051"
            ) from None
    if len(versions) > 1:
        raise ValueError("several targets must be all of IPv4 or all of IPv6")
    # Otherwise the whole list would be sent as the name of the server.
    return f"ipv{versions.pop()}:{','.join(targets)}", {"grpc.default_authority": targets[0]}


def _credentials(ca: Pem | None, certificate: Pem | None, key: Pem | None) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(_pem(ca), _pem(key), _pem(certificate))


def _pem(given: Pem | None) -> bytes | None:
    if given is None or isinstance(given, bytes):
        return given
    if isinstance(given, str) and "-----BEGIN" in given:
        # As the name of a file, the error would show a key.
        return given.encode()
    return Path(given).read_bytes()
