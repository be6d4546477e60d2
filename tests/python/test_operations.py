"""The Python client's calls for bots, against Chatbridge, a Redis and the sandbox's agents."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import chatbridge.sync as chatbridge_sync
import grpc
import pytest
from chatbridge import Chatbridge, ChatbridgeError, File, from_bot, from_user, to_queue
from chatbridge.v1 import (
    AgentEvent,
    Attachment,
    AuthorType,
    Channel,
    MessageInput,
    Property,
    SessionState,
    TranscriptPolicy,
    User,
)

WAIT_S = 30.0
CHANNEL = "sandbox-chat"


@pytest.fixture
async def chatbridge(dev: Mapping[str, str]) -> AsyncIterator[Chatbridge]:
    async with Chatbridge(dev["grpc"]) as chatbridge:
        yield chatbridge


async def heard(
    chatbridge: Chatbridge, conversation_id: str, start: bytes, matches: Callable[[AgentEvent], bool]
) -> AgentEvent:
    """The first event behind `start` that matches."""

    async def find() -> AgentEvent:
        async with chatbridge.agent_events([conversation_id], start=start) as stream:
            async for response in stream:
                if response.HasField("event") and matches(response.event):
                    return response.event
        raise AssertionError("the stream ended")

    return await asyncio.wait_for(find(), WAIT_S)


def says(word: str) -> Callable[[AgentEvent], bool]:
    """Whether an agent says it."""
    return lambda event: event.message.sender.type == AuthorType.AUTHOR_TYPE_AGENT and word in event.message.text


async def content(size: int) -> AsyncIterator[bytes]:
    """As many bytes, which differ from each other."""
    block = b"".join(n.to_bytes(4, "big") for n in range(50_000))
    for at in range(0, size, len(block)):
        yield block[: size - at]


async def test_a_hand_over_brings_transcript_and_files_to_the_agent(chatbridge: Chatbridge, tmp_path: Path) -> None:
    path = tmp_path / "invoice.pdf"
    path.write_bytes(b"%PDF-" + bytes(300_000))
    request_id = str(uuid.uuid4())
    files: list[File | Path] = [
        path,
        File(b"look", "photo.txt", author_type=AuthorType.AUTHOR_TYPE_BOT, text="Photo"),
    ]
    user = User(name="Ada", additional_properties=[Property(key="orderId", value="4711")])
    history = [from_user(f"question {n}") if n % 2 else from_bot(f"answer {n}") for n in range(450)]
    first, repeat = [
        await chatbridge.hand_over_conversation(
            CHANNEL,
            user=user,
            assignment=to_queue("100"),
            history=history,
            files=files,
            transcript_policy=TranscriptPolicy.TRANSCRIPT_POLICY_SUMMARISE,
            request_id=request_id,
        )
        for _ in range(2)
    ]
    assert first == repeat
    assert first.omitted_messages == 0
    assert first.summarised_messages == 251
    told = [(file.file_name, file.message_accepted, file.error_reason) for file in first.files]
    assert told == [("invoice.pdf", True, ""), ("photo.txt", True, "")]
    # What the customer sends is answered, and what the bot sends is not.
    await heard(chatbridge, first.conversation_id, first.cursor, says("invoice.pdf"))

    messages = [message async for message in chatbridge.iterate_messages(first.conversation_id, page_size=100)]
    assert len({message.id for message in messages}) == len(messages) > 200
    assert [message.text for message in messages if message.attachments] == ["Photo", ""]
    listed = [file async for file in chatbridge.iterate_attachments(first.conversation_id, page_size=1)]
    assert {file.id for file in listed} == {file.attachment.id for file in first.files}


async def test_a_file_that_is_wrong_leaves_the_conversation_and_names_it(chatbridge: Chatbridge) -> None:
    with pytest.raises(ChatbridgeError, match="file 2 of the hand-over") as caught:
        await chatbridge.hand_over_conversation(CHANNEL, user=User(), files=[File(b"a", "a"), File(b"", "empty")])
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in caught.value.field_violations] == ["file.size_bytes"]
    left = caught.value.metadata["conversation_id"]
    assert [file.file_name async for file in chatbridge.iterate_attachments(left)] == ["a"]


async def test_a_transcript_beyond_a_message_of_grpc_is_blamed_on_itself(chatbridge: Chatbridge) -> None:
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.hand_over_conversation(CHANNEL, user=User(), history=[from_user("x" * 60_000)] * 80)
    assert [violation.field for violation in caught.value.field_violations] == ["start"]


async def test_whoever_asks_for_a_customer_gets_the_same_conversation(chatbridge: Chatbridge) -> None:
    ada, bob = User(name="Ada", user_id=str(uuid.uuid4())), User(name="Bob", user_id=str(uuid.uuid4()))
    found = await asyncio.gather(
        *(chatbridge.find_or_create_conversation(CHANNEL, user=user) for user in [ada, bob] * 10)
    )
    assert sum(answer.created for answer in found) == 2
    assert len({answer.conversation.conversation_id for answer in found}) == 2
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.find_or_create_conversation(CHANNEL, user=User(name="Ada"))
    assert [violation.field for violation in caught.value.field_violations] == ["user.user_id"]


async def test_a_conversation_with_an_agent_or_without_end_is_not_transferred(chatbridge: Chatbridge) -> None:
    created = await chatbridge.create_conversation(CHANNEL, user=User(name="Ada"), assignment=to_queue("100"))
    await heard(chatbridge, created.conversation_id, created.cursor, says("Ada"))
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.transfer_conversation(created.conversation_id, to_queue("200"))
    assert caught.value.reason == "CONVERSATION_WITH_AGENT"
    await chatbridge.end_conversation(created.conversation_id)
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.transfer_conversation(created.conversation_id, to_queue("200"))
    assert caught.value.reason == "CONVERSATION_ENDED"


async def test_a_conversation_comes_back_after_the_agent_and_goes_to_another_queue(chatbridge: Chatbridge) -> None:
    created = await chatbridge.create_conversation(CHANNEL, user=User(name="Ada"), assignment=to_queue("100"))
    conversation = created.conversation_id
    await heard(chatbridge, conversation, created.cursor, says("Ada"))
    await chatbridge.create_post_agent_assignment(
        conversation, "sandbox-webhook", notify_channel_webhook=True, max_total_minutes=20
    )
    await chatbridge.send_message(conversation, "Thanks, bye")
    await heard(
        chatbridge,
        conversation,
        created.cursor,
        lambda event: (
            event.HasField("conversation_updated") and not event.conversation_updated.HasField("assignment")
        ),
    )
    moved = await chatbridge.transfer_conversation(conversation, to_queue("200"))
    queued = await heard(chatbridge, conversation, moved.cursor, lambda event: event.queued.queue_id == "200")
    assert queued.queued.queue_name == "Returns"


async def test_a_file_comes_back_as_it_went_up(chatbridge: Chatbridge, tmp_path: Path) -> None:
    size = 3_000_001
    created = await chatbridge.create_conversation(CHANNEL, user=User(name="Ada"))
    conversation, request_id = created.conversation_id, str(uuid.uuid4())
    first, repeat = [
        await chatbridge.upload_attachment(
            conversation, File(content(size), "scan.png", size_bytes=size), request_id=request_id
        )
        for _ in range(2)
    ]
    assert first == repeat
    assert (first.file_name, first.type, first.size_bytes) == ("scan.png", "image/png", size)
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.upload_attachment(conversation, File(b"other", "scan.png"), request_id=request_id)
    assert caught.value.reason == "REQUEST_ID_REUSED"
    assert [violation.field for violation in caught.value.field_violations] == ["start.request_id"]

    expected, streamed = hashlib.sha256(), hashlib.sha256()
    async for piece in content(size):
        expected.update(piece)
    async for chunk in chatbridge.download_attachment(conversation, first.id):
        streamed.update(chunk)
    assert streamed.digest() == expected.digest()
    target = tmp_path / "scan.png"
    found = await chatbridge.download_attachment_to(conversation, first.id, target)
    assert (found.id, found.file_name, found.size_bytes) == (first.id, "scan.png", size)
    assert hashlib.sha256(target.read_bytes()).digest() == expected.digest()

    assert await chatbridge.get_attachment(conversation, first.id) == first
    await chatbridge.send_message(
        conversation,
        MessageInput(author_type=AuthorType.AUTHOR_TYPE_USER, attachments=[Attachment(id=first.id)]),
    )
    await heard(chatbridge, conversation, created.cursor, says("scan.png"))


async def test_a_refusal_reaches_a_caller_who_is_still_sending(chatbridge: Chatbridge) -> None:
    created = await chatbridge.create_conversation(CHANNEL, user=User(name="Ada"))
    # gRPC loses the server's words only now and then.
    for _ in range(10):
        file = File(content(20_000_000), "a", size_bytes=5)
        with pytest.raises(ChatbridgeError) as caught:
            await chatbridge.upload_attachment(created.conversation_id, file)
        assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert [file async for file in chatbridge.iterate_attachments(created.conversation_id)] == []


async def test_a_file_that_does_not_exist_is_not_found(chatbridge: Chatbridge, tmp_path: Path) -> None:
    created = await chatbridge.create_conversation(CHANNEL, user=User(name="Ada"))
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.download_attachment_to(created.conversation_id, "nope", tmp_path / "a")
    assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.NOT_FOUND, "UPSTREAM_NOT_FOUND")


async def test_sessions_and_conversations_are_followed_to_their_ends(chatbridge: Chatbridge) -> None:
    created = {
        (await chatbridge.create_conversation(CHANNEL, user=User(name=f"{n}"))).conversation_id for n in range(5)
    }
    conversations = [c.conversation_id async for c in chatbridge.iterate_conversations(page_size=2)]
    assert created <= set(conversations)
    assert len(set(conversations)) == len(conversations)
    sessions = [s.conversation_id async for s in chatbridge.iterate_sessions(page_size=100)]
    assert created <= set(sessions)


async def test_a_channel_is_created_changed_and_deleted(chatbridge: Chatbridge) -> None:
    assert CHANNEL in [channel.id async for channel in chatbridge.iterate_channels()]
    webhook = (await chatbridge.list_webhooks()).webhooks[0]
    created = await chatbridge.create_channel(Channel(name="new", webhook_id=webhook.id, queue_id="100"))
    created.name = "renamed"
    assert (await chatbridge.replace_channel(created)).name == "renamed"
    assert (await chatbridge.get_channel(created.id)).name == "renamed"
    await chatbridge.delete_channel(created.id)
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.get_channel(created.id)
    assert caught.value.reason == "UPSTREAM_NOT_FOUND"


async def test_the_client_that_blocks_does_the_same(dev: Mapping[str, str]) -> None:
    """From a hand-over with a file to the end, in a thread, as programs without an event loop do."""

    def work() -> tuple[list[str], bytes]:
        said: list[str] = []
        with chatbridge_sync.Chatbridge(dev["grpc"]) as client:
            handed = client.hand_over_conversation(
                CHANNEL, user=User(name="Ada"), assignment=to_queue("100"), files=[File(b"abc", "a.txt")]
            )
            with client.agent_events([handed.conversation_id], start=handed.cursor) as stream:
                for response in stream:
                    if response.event.message.sender.type == AuthorType.AUTHOR_TYPE_AGENT:
                        said.append(response.event.message.text)
                        if len(said) == 1:
                            client.send_message(handed.conversation_id, "Thanks, bye")
                    if response.event.state == SessionState.SESSION_STATE_IDLE:
                        break
            (file,) = client.iterate_attachments(handed.conversation_id)
            return said, b"".join(client.download_attachment(handed.conversation_id, file.id))

    said, downloaded = await asyncio.to_thread(work)
    assert "Ada" in said[0]
    assert "a.txt" in said[1]
    assert downloaded == b"abc"
