"""How files go up and come down."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import grpc
import pytest
from fake import Context, Fake, abort
from google.rpc.error_details_pb2 import ErrorInfo

from chatbridge import Chatbridge, ChatbridgeError, File, from_user, to_queue
from chatbridge.v1 import (
    Attachment,
    AuthorType,
    DownloadAttachmentRequest,
    DownloadAttachmentResponse,
    HandOverConversationRequest,
    TranscriptPolicy,
    UploadAttachmentRequest,
    User,
)

MIB = 1024 * 1024


async def pieces(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


def names(directory: Path) -> list[str]:
    """What is in a directory."""
    return [path.name for path in directory.iterdir()]


def uploaded(fake: Fake) -> tuple[UploadAttachmentRequest, list[bytes]]:
    """The start of the one upload, and its chunks."""
    requests = [request for request in fake.requests if isinstance(request, UploadAttachmentRequest)]
    return requests[0], [request.chunk for request in requests[1:]]


async def test_a_path_tells_name_type_and_size(fake: Fake, chatbridge: Chatbridge, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(bytes(range(256)) * 3000)
    assert (await chatbridge.upload_attachment("c1", path)).id == "a1"
    first, chunks = uploaded(fake)
    assert (first.start.tenant, first.start.conversation_id) == ("t1", "c1")
    assert (first.start.file_name, first.start.media_type, first.start.size_bytes) == (
        "photo.png",
        "image/png",
        768_000,
    )
    assert first.start.author_type == AuthorType.AUTHOR_TYPE_USER
    assert uuid.UUID(first.start.request_id).version == 4
    assert b"".join(chunks) == path.read_bytes()
    assert len(chunks) > 1


async def test_bytes_and_iterators_say_what_they_are(fake: Fake, chatbridge: Chatbridge) -> None:
    bot = AuthorType.AUTHOR_TYPE_BOT
    await chatbridge.upload_attachment(
        "c1", File(b"abc", "a.bin", media_type="x/y", author_type=bot), request_id="mine"
    )
    first, chunks = uploaded(fake)
    assert (first.start.request_id, first.start.media_type, first.start.author_type) == ("mine", "x/y", bot)
    assert (first.start.size_bytes, chunks) == (3, [b"abc"])

    fake.requests.clear()
    content = pieces(3 * MIB, 0, 1)
    await chatbridge.upload_attachment("c1", File(content, "big.unheard-of", size_bytes=3 * MIB + 1))
    first, chunks = uploaded(fake)
    assert (first.start.media_type, first.start.size_bytes) == ("", 3 * MIB + 1)
    assert sum(map(len, chunks)) == 3 * MIB + 1
    assert max(map(len, chunks)) <= MIB, "the contract takes no larger piece"


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (File(b"abc"), "file_name"),
        (File(pieces(1)), "file_name"),
        (File(pieces(1), "a"), "size_bytes"),
    ],
)
async def test_what_is_missing_is_said_before_anything_is_sent(
    fake: Fake, chatbridge: Chatbridge, file: File, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        await chatbridge.hand_over_conversation("channel", user=User(), files=[file])
    assert fake.requests == []


async def test_a_file_that_is_not_there_hands_nothing_over(
    fake: Fake, chatbridge: Chatbridge, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        await chatbridge.hand_over_conversation("channel", user=User(), files=[File(b"a", "a"), tmp_path / "missing"])
    assert fake.requests == []


async def test_a_content_that_fails_ends_the_call_and_is_raised(fake: Fake, chatbridge: Chatbridge) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"abc"
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        await chatbridge.upload_attachment("c1", File(failing(), "a", size_bytes=10))
    await asyncio.wait_for(fake.transfer_ended.wait(), 10)


async def test_who_stops_waiting_ends_the_call(fake: Fake, chatbridge: Chatbridge) -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield b"abc"
        await asyncio.Event().wait()

    upload = chatbridge.upload_attachment("c1", File(stalled(), "a", size_bytes=10))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(upload, 0.2)
    await asyncio.wait_for(fake.transfer_ended.wait(), 10)


async def test_an_early_refusal_is_raised_as_the_server_said_it(fake: Fake, chatbridge: Chatbridge) -> None:
    async def fail(context: Context) -> None:
        await abort(
            context,
            grpc.StatusCode.NOT_FOUND,
            "no such conversation",
            ErrorInfo(reason="UPSTREAM_NOT_FOUND", domain="chatbridge"),
        )

    fake.fail = fail
    # gRPC loses the server's words only now and then.
    for _ in range(20):
        fake.requests.clear()
        fake.takes = 2
        with pytest.raises(ChatbridgeError, match="no such conversation") as caught:
            await chatbridge.upload_attachment("c1", File(pieces(*[MIB] * 32), "a", size_bytes=32 * MIB))
        assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.NOT_FOUND, "UPSTREAM_NOT_FOUND")


async def test_a_hand_over_sends_the_conversation_and_each_file_behind_it(
    fake: Fake, chatbridge: Chatbridge, tmp_path: Path
) -> None:
    path = tmp_path / "terms.txt"
    path.write_text("all of them")
    handed = await chatbridge.hand_over_conversation(
        "channel",
        user=User(name="Ada"),
        assignment=to_queue("100"),
        history=[from_user("Help")],
        files=[str(path), File(b"", "empty"), File(b"abc", "a.bin", text="See this")],
        labels={"order": "7"},
        transcript_policy=TranscriptPolicy.TRANSCRIPT_POLICY_SUMMARISE,
        omission_note="{count} fehlen",
    )
    assert (handed.conversation_id, handed.cursor) == ("c1", b"before")
    parts = [part for part in fake.requests if isinstance(part, HandOverConversationRequest)]
    assert [part.WhichOneof("part") for part in parts] == ["start", "file", "chunk", "file", "file", "chunk"]
    start = parts[0].start
    assert (start.tenant, start.channel_id, start.user.name) == ("t1", "channel", "Ada")
    assert (start.assignment, start.labels["order"]) == (to_queue("100"), "7")
    assert start.history[0].text == "Help"
    assert start.transcript_policy == TranscriptPolicy.TRANSCRIPT_POLICY_SUMMARISE
    assert start.omission_note == "{count} fehlen"
    assert uuid.UUID(start.request_id).version == 4
    told = [(part.file.file_name, part.file.size_bytes, part.file.text) for part in parts if part.HasField("file")]
    assert told == [("terms.txt", 11, ""), ("empty", 0, ""), ("a.bin", 3, "See this")]
    assert parts[1].file.media_type == "text/plain"
    assert b"".join(part.chunk for part in parts) == b"all of themabc"


async def test_files_have_a_longer_deadline(fake: Fake, chatbridge: Chatbridge) -> None:
    await chatbridge.upload_attachment("c1", File(b"a", "a"))
    await chatbridge.upload_attachment("c1", File(b"a", "a"), timeout=3)
    default_s, own_s = fake.deadlines_s
    assert default_s is not None
    assert 500 < default_s < 601
    assert own_s is not None
    assert 0 < own_s < 4


async def gives_all(context: Context) -> AsyncIterator[DownloadAttachmentResponse]:
    yield DownloadAttachmentResponse(start=Attachment(id="a1", file_name="a.txt", size_bytes=6))
    for chunk in (b"abc", b"def"):
        yield DownloadAttachmentResponse(chunk=chunk)


async def breaks_off(context: Context) -> AsyncIterator[DownloadAttachmentResponse]:
    yield DownloadAttachmentResponse(start=Attachment(id="a1", size_bytes=6))
    yield DownloadAttachmentResponse(chunk=b"abc")
    await abort(
        context,
        grpc.StatusCode.UNAVAILABLE,
        "8x8 broke off",
        ErrorInfo(reason="UPSTREAM_UNAVAILABLE", domain="chatbridge"),
    )


async def never_ends(context: Context) -> AsyncIterator[DownloadAttachmentResponse]:
    yield DownloadAttachmentResponse(start=Attachment(id="a1"))
    while True:
        yield DownloadAttachmentResponse(chunk=b"x" * 1000)
        await asyncio.sleep(0.001)


async def test_a_download_gives_the_bytes(fake: Fake, chatbridge: Chatbridge) -> None:
    fake.downloads = gives_all
    assert [chunk async for chunk in chatbridge.download_attachment("c1", "a1")] == [b"abc", b"def"]
    (request,) = fake.requests
    assert isinstance(request, DownloadAttachmentRequest)
    assert (request.tenant, request.conversation_id, request.attachment_id) == ("t1", "c1", "a1")


async def test_a_download_that_is_left_early_ends_the_call(fake: Fake, chatbridge: Chatbridge) -> None:
    fake.downloads = never_ends
    async with aclosing(chatbridge.download_attachment("c1", "a1")) as chunks:
        async for _ in chunks:
            break
    await asyncio.wait_for(fake.transfer_ended.wait(), 10)


async def test_a_download_reaches_a_file_whole_or_not_at_all(
    fake: Fake, chatbridge: Chatbridge, tmp_path: Path
) -> None:
    target = tmp_path / "a.txt"
    fake.downloads = breaks_off
    with pytest.raises(ChatbridgeError, match="8x8 broke off"):
        await chatbridge.download_attachment_to("c1", "a1", target)
    assert names(tmp_path) == []

    target.write_text("old")
    fake.downloads = gives_all
    found = await chatbridge.download_attachment_to("c1", "a1", str(target))
    assert (found.file_name, found.size_bytes) == ("a.txt", 6)
    assert target.read_bytes() == b"abcdef"
    assert names(tmp_path) == ["a.txt"]
