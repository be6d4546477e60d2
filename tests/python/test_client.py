"""The Python client against Chatbridge, a Redis and the sandbox's agents."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping

import grpc
import pytest
from chatbridge import AgentEvents, Chatbridge, ChatbridgeError, from_bot, from_user, to_queue
from chatbridge.v1 import (
    AgentEvent,
    AuthorType,
    ConversationState,
    CreateConversationResponse,
    MemberChange,
    Property,
    SessionState,
    User,
)

WAIT_S = 30.0
ADA = User(
    name="Ada",
    language="en",
    additional_properties=[Property(key="orderId", value="4711"), Property(key="channel", value="app")],
)


@pytest.fixture
async def chatbridge(dev: Mapping[str, str]) -> AsyncIterator[Chatbridge]:
    async with Chatbridge(dev["grpc"]) as chatbridge:
        yield chatbridge


async def hand_over(chatbridge: Chatbridge) -> CreateConversationResponse:
    """Ada's talk with the bot goes to the agents of queue 100."""
    return await chatbridge.create_conversation(
        "sandbox-chat",
        user=ADA,
        assignment=to_queue("100"),
        history=[from_bot("How can I help?"), from_user("A person, please.")],
        labels={"case": "7"},
    )


async def until(stream: AgentEvents, seen: list[AgentEvent], matches: Callable[[AgentEvent], bool]) -> AgentEvent:
    """The next event that matches; each one on the way is added to `seen`."""

    async def find() -> AgentEvent:
        async for response in stream:
            assert response.cursor
            assert not response.HasField("gap")
            if response.HasField("event"):
                seen.append(response.event)
                if matches(response.event):
                    return response.event
        raise AssertionError("the stream ended")

    return await asyncio.wait_for(find(), WAIT_S)


def agent_joined(event: AgentEvent) -> bool:
    """Whether an agent joined."""
    return (
        event.member_changed.change == MemberChange.MEMBER_CHANGE_JOINED
        and event.member_changed.member.type == AuthorType.AUTHOR_TYPE_AGENT
    )


def agent_wrote(event: AgentEvent) -> bool:
    """Whether it is an agent's message."""
    return event.message.sender.type == AuthorType.AUTHOR_TYPE_AGENT


def became_idle(event: AgentEvent) -> bool:
    """Whether the interaction is over."""
    return event.state == SessionState.SESSION_STATE_IDLE


async def test_a_conversation_from_hand_over_to_end(chatbridge: Chatbridge) -> None:
    created = await hand_over(chatbridge)
    seen: list[AgentEvent] = []
    async with chatbridge.agent_events([created.conversation_id], start=created.cursor) as stream:
        joined = await until(stream, seen, agent_joined)
        assert joined.state == SessionState.SESSION_STATE_WITH_AGENT
        greeting = await until(stream, seen, agent_wrote)
        assert "Ada" in greeting.message.text
        assert "4711" in greeting.message.text, "the context did not reach the agent"

        await chatbridge.send_typing_indicator(created.conversation_id)
        await chatbridge.send_message(created.conversation_id, "Where is my parcel?")
        answer = await until(stream, seen, agent_wrote)
        assert "Where is my parcel?" in answer.message.text

        with_agent = await chatbridge.get_session(created.conversation_id)
        assert with_agent.state == SessionState.SESSION_STATE_WITH_AGENT
        assert with_agent.agent_id == joined.member_changed.member.id
        assert with_agent.queue_id == "100"
        assert with_agent.labels == {"case": "7"}
        assert with_agent.user.name == "Ada"

        await chatbridge.end_conversation(created.conversation_id)
        await until(stream, seen, became_idle)

    ended = await chatbridge.get_session(created.conversation_id)
    assert ended.state == SessionState.SESSION_STATE_IDLE
    assert ended.agent_id == ""
    assert ended.HasField("ended_time")
    assert ended.HasField("first_response_time")
    upstream = await chatbridge.get_conversation(created.conversation_id)
    assert upstream.state == ConversationState.CONVERSATION_STATE_IDLE

    listed = await chatbridge.list_messages(created.conversation_id, page_size=100, order_by="create_time asc")
    written = [(message.author.type, message.text) for message in listed.messages]
    assert (AuthorType.AUTHOR_TYPE_USER, "Where is my parcel?") in written
    assert (AuthorType.AUTHOR_TYPE_AGENT, greeting.message.text) in written
    assert (AuthorType.AUTHOR_TYPE_AGENT, answer.message.text) in written

    sequences = [event.sequence for event in seen]
    assert sequences == sorted(set(sequences))
    assert not any(event.echo for event in seen)
    assert {event.conversation_id for event in seen} == {created.conversation_id}


async def test_the_log_gives_the_same_events_again_and_goes_on_from_any_cursor(chatbridge: Chatbridge) -> None:
    created = await hand_over(chatbridge)
    first: list[AgentEvent] = []
    async with chatbridge.agent_events([created.conversation_id], start=created.cursor) as stream:
        await until(stream, first, agent_joined)
        cursor_at_join, events_until_join = stream.cursor, len(first)
        await until(stream, first, agent_wrote)

    again: list[AgentEvent] = []
    async with chatbridge.agent_events([created.conversation_id], start=created.cursor) as stream:
        await until(stream, again, agent_wrote)
    assert again == first

    rest: list[AgentEvent] = []
    async with chatbridge.agent_events([created.conversation_id], start=cursor_at_join) as stream:
        await until(stream, rest, agent_wrote)
    assert rest == first[events_until_join:]


async def test_an_echo_is_matched_with_what_was_sent(chatbridge: Chatbridge) -> None:
    created = await hand_over(chatbridge)
    request_id = str(uuid.uuid4())
    seen: list[AgentEvent] = []
    stream = chatbridge.agent_events([created.conversation_id], start=created.cursor, include_echoes=True)
    async with stream:
        await until(stream, seen, agent_wrote)
        await chatbridge.send_message(created.conversation_id, from_bot("One moment."), request_id=request_id)
        echo = await until(stream, seen, lambda event: event.request_id == request_id)
    assert echo.echo
    assert echo.message.text == "One moment."


async def test_a_repeat_with_the_same_request_id_creates_nothing_new(chatbridge: Chatbridge) -> None:
    request_id = str(uuid.uuid4())
    user = User(name="Ada")
    first, second = [
        await chatbridge.create_conversation("sandbox-chat", user=user, request_id=request_id) for _ in range(2)
    ]
    assert first.conversation_id == second.conversation_id
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.create_conversation("sandbox-chat", user=User(name="Bob"), request_id=request_id)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.reason == "REQUEST_ID_REUSED"


async def test_a_change_of_the_assignment_is_heard(chatbridge: Chatbridge) -> None:
    created = await hand_over(chatbridge)
    seen: list[AgentEvent] = []
    async with chatbridge.agent_events([created.conversation_id], start=created.cursor) as stream:
        await until(stream, seen, agent_wrote)
        updated = await chatbridge.update_conversation(created.conversation_id, assignment=to_queue("200"))
    async with chatbridge.agent_events([created.conversation_id], start=updated.cursor) as stream:
        queued = await until(stream, seen, lambda event: event.queued.queue_id == "200")
    assert queued.state == SessionState.SESSION_STATE_QUEUED


async def test_conversations_and_sessions_are_listed(chatbridge: Chatbridge) -> None:
    created = await hand_over(chatbridge)
    sessions = await chatbridge.list_sessions(page_size=100)
    assert created.conversation_id in [session.conversation_id for session in sessions.sessions]
    found, token = set[str](), ""
    while True:
        page = await chatbridge.list_conversations(page_size=2, page_token=token)
        assert len(page.conversations) <= 2
        found.update(conversation.conversation_id for conversation in page.conversations)
        token = page.next_page_token
        if not token:
            break
    assert created.conversation_id in found
    assert len(found) == page.total_size


async def test_a_conversation_is_erased_here_and_not_upstream(chatbridge: Chatbridge) -> None:
    created = await hand_over(chatbridge)
    seen: list[AgentEvent] = []
    async with chatbridge.agent_events([created.conversation_id], start=created.cursor) as stream:
        await until(stream, seen, agent_joined)
    assert await chatbridge.erase_conversation(created.conversation_id) >= len(seen)
    upstream = await chatbridge.get_conversation(created.conversation_id)
    assert upstream.user.name == "Ada"
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.erase_conversation("")
    assert caught.value.reason == "INVALID_FIELD"


async def test_an_unknown_conversation_is_not_found(chatbridge: Chatbridge) -> None:
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.get_conversation("no-such-conversation")
    assert caught.value.code is grpc.StatusCode.NOT_FOUND
    assert caught.value.reason == "UPSTREAM_NOT_FOUND"
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.get_session("no-such-conversation")
    assert caught.value.code is grpc.StatusCode.NOT_FOUND
    assert caught.value.reason == "SESSION_UNKNOWN"


async def test_a_missing_field_is_named(chatbridge: Chatbridge) -> None:
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.create_conversation("", user=User(name="Ada"))
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in caught.value.field_violations] == ["channel_id"]
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.send_message("", "Hello")
    assert [violation.field for violation in caught.value.field_violations] == ["conversation_id"]


async def test_a_cursor_that_is_not_ours_is_refused(chatbridge: Chatbridge) -> None:
    stream = chatbridge.agent_events(start=b"made up")
    with pytest.raises(ChatbridgeError) as caught:
        await asyncio.wait_for(stream.__anext__(), WAIT_S)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.reason == "CURSOR_INVALID"
