"""What calls send, and the errors they raise."""

import uuid
from datetime import timedelta

import grpc
import pytest
from fake import Context, Fake, abort
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo

from chatbridge import Chatbridge, ChatbridgeError, FieldViolation, from_bot, to_queue
from chatbridge.v1 import (
    AuthorType,
    CreateConversationRequest,
    CreatePostAgentAssignmentRequest,
    FindOrCreateConversationRequest,
    ListConversationsRequest,
    SendMessageRequest,
    TransferConversationRequest,
    UpdateConversationRequest,
    User,
)


async def test_create_sends_every_part_and_a_new_request_id_each_time(fake: Fake, chatbridge: Chatbridge) -> None:
    for _ in range(2):
        created = await chatbridge.create_conversation(
            "channel",
            user=User(name="Ada"),
            assignment=to_queue("100"),
            history=[from_bot("Hello")],
            labels={"order": "7"},
        )
        assert created.conversation_id == "c1"
        assert created.cursor == b"before"
    first, second = fake.requests
    assert isinstance(first, CreateConversationRequest)
    assert isinstance(second, CreateConversationRequest)
    assert (first.tenant, first.channel_id, first.user.name) == ("t1", "channel", "Ada")
    assert first.assignment == to_queue("100")
    assert first.history[0].author_type == AuthorType.AUTHOR_TYPE_BOT
    assert first.labels["order"] == "7"
    assert uuid.UUID(first.request_id).version == 4
    assert first.request_id != second.request_id


async def test_send_message_takes_a_text_and_keeps_the_callers_request_id(fake: Fake, chatbridge: Chatbridge) -> None:
    await chatbridge.send_message("c1", "Hi", request_id="mine")
    await chatbridge.send_message("c1", from_bot("Hi"))
    first, second = fake.requests
    assert isinstance(first, SendMessageRequest)
    assert isinstance(second, SendMessageRequest)
    assert first.request_id == "mine"
    assert first.message.author_type == AuthorType.AUTHOR_TYPE_USER
    assert first.message.text == "Hi"
    assert uuid.UUID(second.request_id).version == 4
    assert second.message.author_type == AuthorType.AUTHOR_TYPE_BOT


async def test_update_names_what_is_given_unless_told(fake: Fake, chatbridge: Chatbridge) -> None:
    await chatbridge.update_conversation("c1", assignment=to_queue("200"))
    await chatbridge.update_conversation("c1", user=User(language="de"), update_mask=["user.language"])
    first, second = fake.requests
    assert isinstance(first, UpdateConversationRequest)
    assert isinstance(second, UpdateConversationRequest)
    assert list(first.update_mask.paths) == ["assignment"]
    assert not first.conversation.HasField("user")
    assert list(second.update_mask.paths) == ["user.language"]


async def test_every_call_has_a_deadline(fake: Fake, chatbridge: Chatbridge) -> None:
    await chatbridge.get_conversation("c1")
    await chatbridge.get_conversation("c1", timeout=3)
    default_s, own_s = fake.deadlines_s
    assert default_s is not None
    assert 10 < default_s < 16
    assert own_s is not None
    assert 0 < own_s < 4


async def test_an_error_carries_what_the_details_say(fake: Fake, chatbridge: Chatbridge) -> None:
    async def fail(context: Context) -> None:
        await abort(
            context,
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "slow\n  down",
            ErrorInfo(reason="UPSTREAM_RATE_LIMITED", domain="chatbridge", metadata={"reference_id": "r-9"}),
            RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000)),
        )

    fake.fail = fail
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.get_conversation("c1", timeout=2)
    error = caught.value
    assert error.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.reason == "UPSTREAM_RATE_LIMITED"
    assert error.reference_id == "r-9"
    assert error.retry_after == timedelta(seconds=2.5)
    assert error.field_violations == ()
    assert not error.outcome_unknown
    assert str(error) == "RESOURCE_EXHAUSTED (UPSTREAM_RATE_LIMITED): slow down [reference r-9]"


async def test_an_invalid_request_names_its_fields(fake: Fake, chatbridge: Chatbridge) -> None:
    async def fail(context: Context) -> None:
        violations = [BadRequest.FieldViolation(field="channel_id", description="is required")]
        await abort(context, grpc.StatusCode.INVALID_ARGUMENT, "wrong", BadRequest(field_violations=violations))

    fake.fail = fail
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.create_conversation("", user=User())
    assert caught.value.field_violations == (FieldViolation("channel_id", "is required"),)
    assert caught.value.retry_after is None


async def test_an_unknown_outcome_is_told_apart(fake: Fake, chatbridge: Chatbridge) -> None:
    async def fail(context: Context) -> None:
        await abort(
            context,
            grpc.StatusCode.UNKNOWN,
            "lost",
            ErrorInfo(reason="UPSTREAM_OUTCOME_UNKNOWN", domain="chatbridge"),
        )

    fake.fail = fail
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.send_message("c1", "Hi")
    assert caught.value.outcome_unknown


async def test_details_that_cannot_be_read_do_not_hide_the_error(fake: Fake, chatbridge: Chatbridge) -> None:
    async def fail(context: Context) -> None:
        metadata = (("grpc-status-details-bin", b"\xff\xff\xff"),)
        await context.abort(grpc.StatusCode.NOT_FOUND, "no such thing", trailing_metadata=metadata)

    fake.fail = fail
    with pytest.raises(ChatbridgeError, match="no such thing") as caught:
        await chatbridge.get_conversation("c1")
    assert caught.value.code is grpc.StatusCode.NOT_FOUND
    assert caught.value.reason == ""


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    # Port 1 is privileged and not in use: nobody else can take it between here and the call.
    async with Chatbridge("127.0.0.1:1") as chatbridge:
        with pytest.raises(ChatbridgeError) as caught:
            await chatbridge.get_conversation("c1")
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE


async def test_a_client_that_is_closed_says_so(fake: Fake) -> None:
    chatbridge = Chatbridge(fake.target)
    await chatbridge.get_conversation("c1")
    await chatbridge.close()
    with pytest.raises(RuntimeError, match="closed"):
        await chatbridge.get_conversation("c1")


async def test_find_or_create_sends_every_part(fake: Fake, chatbridge: Chatbridge) -> None:
    found = await chatbridge.find_or_create_conversation(
        "channel",
        user=User(user_id="u1"),
        assignment=to_queue("100"),
        history=[from_bot("Hello")],
        labels={"order": "7"},
    )
    assert found.created
    (request,) = fake.requests
    assert isinstance(request, FindOrCreateConversationRequest)
    assert (request.tenant, request.channel_id, request.user.user_id) == ("t1", "channel", "u1")
    assert (request.assignment, request.labels["order"]) == (to_queue("100"), "7")
    assert request.history[0].text == "Hello"


async def test_a_transfer_and_a_hand_back_say_where_to(fake: Fake, chatbridge: Chatbridge) -> None:
    assert (await chatbridge.transfer_conversation("c1", to_queue("200"))).cursor == b"before"
    await chatbridge.create_post_agent_assignment("c1", "w1", notify_channel_webhook=False, max_total_minutes=20)
    await chatbridge.create_post_agent_assignment("c1", "w1", user_timeout_minutes=10)
    transfer, told, untold = fake.requests
    assert isinstance(transfer, TransferConversationRequest)
    assert (transfer.tenant, transfer.conversation_id, transfer.assignment) == ("t1", "c1", to_queue("200"))
    assert isinstance(told, CreatePostAgentAssignmentRequest)
    assert isinstance(untold, CreatePostAgentAssignmentRequest)
    assert (told.webhook_id, told.max_total_minutes, told.user_timeout_minutes) == ("w1", 20, 0)
    assert told.HasField("notify_channel_webhook")
    assert not told.notify_channel_webhook
    assert not untold.HasField("notify_channel_webhook")
    assert untold.user_timeout_minutes == 10


@pytest.mark.parametrize(("page_size", "pages"), [(2, 3), (5, 1), (100, 1)])
async def test_a_list_is_followed_to_its_end(fake: Fake, chatbridge: Chatbridge, page_size: int, pages: int) -> None:
    every = chatbridge.iterate_conversations(page_size=page_size, filter="state==active", order_by="id desc")
    assert [conversation.conversation_id async for conversation in every] == ["c0", "c1", "c2", "c3", "c4"]
    assert len(fake.requests) == pages
    for request in fake.requests:
        assert isinstance(request, ListConversationsRequest)
        assert (request.tenant, request.filter, request.order_by) == ("t1", "state==active", "id desc")
        assert request.page_size == page_size


async def test_an_error_on_the_way_through_a_list_is_raised(fake: Fake, chatbridge: Chatbridge) -> None:
    async def fail(context: Context) -> None:
        if len(fake.requests) == 2:
            await abort(context, grpc.StatusCode.NOT_FOUND, "gone")

    fake.fail = fail
    every = chatbridge.iterate_conversations(page_size=2)
    assert [(await every.__anext__()).conversation_id for _ in range(2)] == ["c0", "c1"]
    with pytest.raises(ChatbridgeError, match="gone"):
        await every.__anext__()
