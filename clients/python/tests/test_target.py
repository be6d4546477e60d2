"""Where a client connects to, and when it encrypts."""

from collections.abc import Sequence

import pytest

from chatbridge import Chatbridge
from chatbridge.target import Address
from chatbridge.token import bearer


def address(target: str | Sequence[str], tls: bool | None = None, ca: bytes | None = None) -> Address:
    return Address(target, tls=tls, ca=ca, certificate=None, key=None, options={"grpc.keepalive_time_ms": 7})


@pytest.mark.parametrize(
    ("target", "connects_to", "encrypts"),
    [
        ("127.0.0.1:50051", "127.0.0.1:50051", False),
        ("[::1]:50051", "[::1]:50051", False),
        ("localhost:50051", "localhost:50051", False),
        ("dns:///localhost:50051", "dns:///localhost:50051", False),
        ("unix:/run/chatbridge.sock", "unix:/run/chatbridge.sock", False),
        ("http://chatbridge:50051", "chatbridge:50051", False),
        ("http://chatbridge", "chatbridge:80", False),
        ("https://chatbridge/", "chatbridge:443", True),
        ("https://127.0.0.1:1", "127.0.0.1:1", True),
        ("https://[::1]", "[::1]:443", True),
        ("chatbridge:50051", "chatbridge:50051", True),
        ("dns:///chatbridge.prod:50051", "dns:///chatbridge.prod:50051", True),
        ("localhost.example:50051", "localhost.example:50051", True),
        ("10.0.0.1:50051", "10.0.0.1:50051", True),
    ],
)
def test_only_what_stays_on_the_machine_is_not_encrypted_unless_told(
    target: str, connects_to: str, encrypts: bool
) -> None:
    found = address(target)
    assert (found.target, found.credentials is not None) == (connects_to, encrypts)


def test_it_can_be_told() -> None:
    assert address("chatbridge:50051", tls=False).credentials is None
    assert address("127.0.0.1:50051", tls=True).credentials is not None
    assert address("127.0.0.1:50051", ca=b"pem").credentials is not None


def test_several_addresses_are_one_target_with_the_name_of_the_first() -> None:
    found = address(["127.0.0.1:1", "127.0.0.1:2"])
    assert (found.target, found.credentials) == ("ipv4:127.0.0.1:1,127.0.0.1:2", None)
    assert dict(found.options)["grpc.default_authority"] == "127.0.0.1:1"
    assert address(["[::1]:1", "[2001:db8::1]:2"]).target == "ipv6:[::1]:1,[2001:db8::1]:2"
    assert address(["[::1]:1", "[2001:db8::1]:2"]).credentials is not None
    assert address(["127.0.0.1:1"]).target == "127.0.0.1:1"


def test_own_options_win() -> None:
    options = dict(address("127.0.0.1:1").options)
    assert options["grpc.keepalive_time_ms"] == 7
    assert options["grpc.keepalive_timeout_ms"] == 10_000


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("", "empty"),
        ([], "empty"),
        (["10.0.0.1:1", "chatbridge:1"], "no IP address"),
        (["10.0.0.1:1", "[::1]:1"], "all of IPv4"),
        (["http://10.0.0.1:1", "https://10.0.0.2:1"], "some of the targets"),
        ("http://chatbridge/api", "path"),
    ],
)
def test_what_cannot_be_is_said(target: str | Sequence[str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        address(target)


def test_contradictions_are_said() -> None:
    with pytest.raises(ValueError, match="tls=False"):
        address("chatbridge:1", tls=False, ca=b"pem")
    with pytest.raises(ValueError, match="http://"):
        address("http://chatbridge:1", ca=b"pem")
    with pytest.raises(ValueError, match="both"):
        Chatbridge("chatbridge:1", certificate=b"pem")


@pytest.mark.parametrize("token", ["", "secret\n", "se cret", "sécret"])
def test_a_token_that_no_header_can_have_is_not_quoted(token: str) -> None:
    with pytest.raises(ValueError, match="characters") as caught:
        bearer(token)
    assert "cret" not in str(caught.value)


def test_no_text_of_a_client_has_its_token() -> None:
    chatbridge = Chatbridge("127.0.0.1:1", token="secret")
    assert "secret" not in f"{chatbridge!r} {chatbridge._settings!r}"
