"""Conversations, from their beginning to their end."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing

from google.protobuf.field_mask_pb2 import FieldMask

from chatbridge.calls import Calls, pages
from chatbridge.files import Described, File, describe
from chatbridge.v1 import (
    Assignment,
    Conversation,
    CreateConversationRequest,
    CreateConversationResponse,
    CreatePostAgentAssignmentRequest,
    CreatePostAgentAssignmentResponse,
    EndConversationRequest,
    EndConversationResponse,
    FindOrCreateConversationRequest,
    FindOrCreateConversationResponse,
    GetConversationRequest,
    HandOver,
    HandOverConversationRequest,
    HandOverConversationResponse,
    HandOverFile,
    ListConversationsRequest,
    ListConversationsResponse,
    MessageInput,
    TranscriptPolicy,
    TransferConversationRequest,
    TransferConversationResponse,
    UpdateConversationRequest,
    UpdateConversationResponse,
    User,
)


class ConversationCalls(Calls):
    """Calls of `ConversationService` that begin, change, list and end conversations."""

    async def hand_over(
        self,
        channel_id: str,
        *,
        user: User,
        assignment: Assignment | None = None,
        history: Iterable[MessageInput] = (),
        files: Iterable[File | str | os.PathLike[str]] = (),
        labels: Mapping[str, str] | None = None,
        transcript_policy: TranscriptPolicy.ValueType = TranscriptPolicy.TRANSCRIPT_POLICY_UNSPECIFIED,
        omission_note: str = "",
        request_id: str = "",
        timeout: float | None = None,
    ) -> HandOverConversationResponse:
        """Hands a customer over in one call: conversation, transcript of any length, context and files.

        `files` are paths or `File`s, at most 50; one that is not there raises before anything is sent. What became of
        each is in `files` of the answer, since a file that fails does not undo the conversation. `request_id` is a
        UUID that makes a repeat with the same content harmless; empty: a new one.
        """
        start = HandOver(
            tenant=self._tenant,
            request_id=request_id or str(uuid.uuid4()),
            channel_id=channel_id,
            user=user,
            assignment=assignment,
            history=history,
            labels=labels,
            transcript_policy=transcript_policy,
            omission_note=omission_note,
        )
        described = [await describe(file) for file in files]
        rpc = self._connection.conversations.HandOverConversation
        return await self._send(rpc, _hand_over(start, described), timeout)

    async def find_or_create_conversation(
        self,
        channel_id: str,
        *,
        user: User,
        assignment: Assignment | None = None,
        history: Iterable[MessageInput] = (),
        labels: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> FindOrCreateConversationResponse:
        """Finds the conversation of `user.user_id` on a channel, or creates it: one, however many ask at once.

        `created` of the answer tells which. All but `user.user_id` is for a new one only.
        """
        request = FindOrCreateConversationRequest(
            tenant=self._tenant,
            channel_id=channel_id,
            user=user,
            assignment=assignment,
            history=history,
            labels=labels,
        )
        return await self._call(self._connection.conversations.FindOrCreateConversation, request, timeout)

    async def create_conversation(
        self,
        channel_id: str,
        *,
        user: User,
        assignment: Assignment | None = None,
        history: Iterable[MessageInput] = (),
        labels: Mapping[str, str] | None = None,
        request_id: str = "",
        timeout: float | None = None,
    ) -> CreateConversationResponse:
        """Starts a conversation, with the transcript and the context that the agent should see.

        Await what comes of it with `agent_events(start=response.cursor)`. `request_id` is a UUID that makes a repeat
        harmless; empty: a new one.
        """
        request = CreateConversationRequest(
            tenant=self._tenant,
            request_id=request_id or str(uuid.uuid4()),
            channel_id=channel_id,
            user=user,
            assignment=assignment,
            history=history,
            labels=labels,
        )
        return await self._call(self._connection.conversations.CreateConversation, request, timeout)

    async def get_conversation(self, conversation_id: str, *, timeout: float | None = None) -> Conversation:
        """Reads a conversation from the vendor."""
        request = GetConversationRequest(tenant=self._tenant, conversation_id=conversation_id)
        return (await self._call(self._connection.conversations.GetConversation, request, timeout)).conversation

    async def list_conversations(
        self,
        *,
        page_size: int = 0,
        page_token: str = "",
        filter: str = "",  # noqa: A002 (the contract's word)
        order_by: str = "",
        timeout: float | None = None,
    ) -> ListConversationsResponse:
        """Reads one page of the tenant's conversations from the vendor. `filter` is FIQL."""
        request = ListConversationsRequest(
            tenant=self._tenant, page_size=page_size, page_token=page_token, filter=filter, order_by=order_by
        )
        return await self._call(self._connection.conversations.ListConversations, request, timeout)

    async def iterate_conversations(
        self,
        *,
        page_size: int = 100,
        filter: str = "",  # noqa: A002 (the contract's word)
        order_by: str = "",
        timeout: float | None = None,
    ) -> AsyncIterator[Conversation]:
        """Every conversation of the tenant, page after page; `timeout` is that of each page. `filter` is FIQL."""
        async for page in pages(
            lambda token: self.list_conversations(
                page_size=page_size, page_token=token, filter=filter, order_by=order_by, timeout=timeout
            )
        ):
            for conversation in page.conversations:
                yield conversation

    async def update_conversation(
        self,
        conversation_id: str,
        *,
        user: User | None = None,
        assignment: Assignment | None = None,
        update_mask: Iterable[str] | None = None,
        timeout: float | None = None,
    ) -> UpdateConversationResponse:
        """Changes the customer's data or the assignment; an event tells the outcome.

        `update_mask` names what to change, such as `user.language`; None: whatever of `user` and `assignment` is
        given, as a whole.
        """
        if update_mask is None:
            given = {"user": user, "assignment": assignment}
            update_mask = [name for name, value in given.items() if value is not None]
        request = UpdateConversationRequest(
            tenant=self._tenant,
            conversation_id=conversation_id,
            conversation=Conversation(user=user, assignment=assignment),
            update_mask=FieldMask(paths=update_mask),
        )
        return await self._call(self._connection.conversations.UpdateConversation, request, timeout)

    async def transfer_conversation(
        self, conversation_id: str, assignment: Assignment, *, timeout: float | None = None
    ) -> TransferConversationResponse:
        """Routes to another queue or script while no agent has the conversation; an event tells the outcome.

        Fails with the reason `CONVERSATION_WITH_AGENT` where one has it, and `CONVERSATION_ENDED` where it is idle.
        """
        request = TransferConversationRequest(
            tenant=self._tenant, conversation_id=conversation_id, assignment=assignment
        )
        return await self._call(self._connection.conversations.TransferConversation, request, timeout)

    async def create_post_agent_assignment(
        self,
        conversation_id: str,
        webhook_id: str,
        *,
        notify_channel_webhook: bool | None = None,
        max_total_minutes: int = 0,
        user_timeout_minutes: int = 0,
        timeout: float | None = None,
    ) -> CreatePostAgentAssignmentResponse:
        """Asks that the conversation come back to a bot, behind a webhook, once the agent has left.

        0 minutes and None are the vendor's defaults.
        """
        request = CreatePostAgentAssignmentRequest(
            tenant=self._tenant,
            conversation_id=conversation_id,
            webhook_id=webhook_id,
            notify_channel_webhook=notify_channel_webhook,
            max_total_minutes=max_total_minutes,
            user_timeout_minutes=user_timeout_minutes,
        )
        return await self._call(self._connection.conversations.CreatePostAgentAssignment, request, timeout)

    async def end_conversation(
        self, conversation_id: str, *, timeout: float | None = None
    ) -> EndConversationResponse:
        """Ends the current interaction on the customer's behalf; a new message starts another."""
        request = EndConversationRequest(tenant=self._tenant, conversation_id=conversation_id)
        return await self._call(self._connection.conversations.EndConversation, request, timeout)


async def _hand_over(
    start: HandOver, files: Sequence[Described]
) -> AsyncGenerator[HandOverConversationRequest, None]:
    yield HandOverConversationRequest(start=start)
    for file in files:
        yield HandOverConversationRequest(
            file=HandOverFile(
                file_name=file.file_name,
                media_type=file.media_type,
                size_bytes=file.size_bytes,
                author_type=file.author_type,
                text=file.text,
            )
        )
        async with aclosing(file.chunks()) as chunks:
            async for chunk in chunks:
                yield HandOverConversationRequest(chunk=chunk)
