"""Connections: encrypted ones, and ones to several servers."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from fake import Context, Fake, serve

from chatbridge import Chatbridge, ChatbridgeError, Retries
from chatbridge import sync as blocking


@dataclass(frozen=True)
class Pair:
    """A certificate with its key, as PEM."""

    certificate: bytes
    key: bytes


def self_signed(name: str) -> Pair:
    """A certificate for 127.0.0.1 that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    return Pair(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


SERVER = self_signed("server")
CALLER = self_signed("caller")


@pytest.fixture
async def guarded() -> AsyncIterator[Fake]:
    """A server that asks for the caller's certificate."""
    fake = Fake()
    credentials = grpc.ssl_server_credentials(
        [(SERVER.key, SERVER.certificate)], root_certificates=CALLER.certificate, require_client_auth=True
    )
    async with serve(fake, credentials=credentials):
        yield fake


async def test_a_connection_is_encrypted_and_shows_the_callers_certificate(guarded: Fake, tmp_path: Path) -> None:
    async with Chatbridge(
        guarded.target, ca=SERVER.certificate, certificate=CALLER.certificate, key=CALLER.key
    ) as chatbridge:
        await chatbridge.get_conversation("c1")
    ca, certificate = tmp_path / "ca", tmp_path / "certificate"
    ca.write_bytes(SERVER.certificate)
    certificate.write_bytes(CALLER.certificate)
    with blocking.Chatbridge(guarded.target, ca=ca, certificate=str(certificate), key=CALLER.key.decode()) as client:
        await asyncio.to_thread(client.get_conversation, "c1")
    assert len(guarded.requests) == 2


@pytest.mark.parametrize("ca", [SERVER.certificate, CALLER.certificate], ids=["no certificate", "another authority"])
async def test_whoever_cannot_be_trusted_is_not_spoken_to(guarded: Fake, ca: bytes) -> None:
    async with Chatbridge(guarded.target, ca=ca, retries=Retries(attempts=1)) as chatbridge:
        with pytest.raises(ChatbridgeError) as caught:
            await chatbridge.get_conversation("c1")
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert guarded.requests == []


async def test_several_servers_are_asked_in_turn_and_one_may_be_missing() -> None:
    fakes = [Fake(), Fake(), Fake()]
    async with AsyncExitStack() as stack:
        for fake in fakes:
            await stack.enter_async_context(serve(fake))
        targets = [fake.target for fake in fakes]
        async with Chatbridge([*targets, "127.0.0.1:1"]) as chatbridge:
            # Until all are connected, those that are there answer.
            while not all(fake.requests for fake in fakes):
                await chatbridge.get_conversation("c1")
            before = [len(fake.requests) for fake in fakes]
            for _ in range(30):
                await chatbridge.get_conversation("c1")
        assert [len(fake.requests) - count for fake, count in zip(fakes, before, strict=True)] == [10, 10, 10]


async def test_the_server_is_told_who_calls(fake: Fake) -> None:
    agents: list[str] = []

    async def note(context: Context) -> None:
        agents.append(str(dict(context.invocation_metadata() or ())["user-agent"]))

    fake.fail = note
    async with Chatbridge(fake.target) as chatbridge:
        await chatbridge.get_conversation("c1")
    with blocking.Chatbridge(fake.target) as client:
        await asyncio.to_thread(client.get_conversation, "c1")
    assert len(agents) == 2
    assert all(agent.startswith("chatbridge-python/0.1.0 ") for agent in agents)
