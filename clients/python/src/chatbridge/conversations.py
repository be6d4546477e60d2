"""Conversations, from their beginning to their end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping

from google.protobuf.field_mask_pb2 import FieldMask

from chatbridge.calls import Calls, pages
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
    GetConversationResponse,
    Interaction,
    ListConversationsRequest,
    ListConversationsResponse,
    ListInteractionsRequest,
    ListInteractionsResponse,
    ListParticipantsRequest,
    ListParticipantsResponse,
    MessageInput,
    Participant,
    ReplaceConversationRequest,
    ReplaceConversationResponse,
    TransferConversationRequest,
    TransferConversationResponse,
    UpdateConversationRequest,
    UpdateConversationResponse,
    User,
)


class ConversationCalls(Calls):
    """Calls of `ConversationService` that begin, change, list and end conversations."""

    async def find_or_create_conversation(
        self,
        channel_id: str,
        *,
        user: User,
        assignment: Assignment | None = None,
        history: Iterable[MessageInput] = (),
        labels: Mapping[str, str] | None = None,
        tenant: str = "",
        timeout: float | None = None,
    ) -> FindOrCreateConversationResponse:
        """Finds the conversation of `user.user_id` on a channel, or creates it: one, however many ask at once.

        `created` of the answer tells which. All but `user.user_id` is for a new one only.
        """
        request = FindOrCreateConversationRequest(
            tenant=tenant,
            channel_id=channel_id,
            user=user,
            assignment=assignment,
            history=history,
            labels=labels,
        )
        return await self._call(request, FindOrCreateConversationResponse, timeout)

    async def create_conversation(
        self,
        channel_id: str,
        *,
        user: User,
        assignment: Assignment | None = None,
        history: Iterable[MessageInput] = (),
        labels: Mapping[str, str] | None = None,
        request_id: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> CreateConversationResponse:
        """Starts a conversation, with the transcript and the context that the agent should see.

        Await what comes of it with `agent_events(start=response.cursor)`. `request_id` is a UUID that makes a repeat
        harmless; empty: a new one.
        """
        request = CreateConversationRequest(
            tenant=tenant,
            request_id=request_id,
            channel_id=channel_id,
            user=user,
            assignment=assignment,
            history=history,
            labels=labels,
        )
        return await self._call(request, CreateConversationResponse, timeout)

    async def get_conversation(
        self, conversation_id: str, *, tenant: str = "", timeout: float | None = None
    ) -> Conversation:
        """Reads a conversation from the vendor."""
        request = GetConversationRequest(tenant=tenant, conversation_id=conversation_id)
        return (await self._call(request, GetConversationResponse, timeout)).conversation

    async def list_conversations(
        self,
        *,
        page_size: int = 0,
        page_token: str = "",
        filter: str = "",  # noqa: A002 (the contract's word)
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> ListConversationsResponse:
        """Reads one page of the tenant's conversations from the vendor. `filter` is FIQL."""
        request = ListConversationsRequest(
            tenant=tenant, page_size=page_size, page_token=page_token, filter=filter, order_by=order_by
        )
        return await self._call(request, ListConversationsResponse, timeout)

    async def iterate_conversations(
        self,
        *,
        page_size: int = 100,
        filter: str = "",  # noqa: A002 (the contract's word)
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> AsyncIterator[Conversation]:
        """Every conversation of the tenant, page after page; `timeout` is that of each page. `filter` is FIQL."""
        async for page in pages(
            lambda token: self.list_conversations(
                page_size=page_size,
                page_token=token,
                filter=filter,
                order_by=order_by,
                tenant=tenant,
                timeout=timeout,
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
        tenant: str = "",
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
            tenant=tenant,
            conversation_id=conversation_id,
            conversation=Conversation(user=user, assignment=assignment),
            update_mask=FieldMask(paths=update_mask),
        )
        return await self._call(request, UpdateConversationResponse, timeout)

    async def replace_conversation(
        self, conversation: Conversation, *, tenant: str = "", timeout: float | None = None
    ) -> ReplaceConversationResponse:
        """Replaces channel, customer and assignment as a whole; an event tells the outcome.

        `conversation.conversation_id` says which; what is not given is cleared, as far as the vendor clears it.
        """
        request = ReplaceConversationRequest(tenant=tenant, conversation=conversation)
        return await self._call(request, ReplaceConversationResponse, timeout)

    async def transfer_conversation(
        self, conversation_id: str, assignment: Assignment, *, tenant: str = "", timeout: float | None = None
    ) -> TransferConversationResponse:
        """Routes to another queue or script while no agent has the conversation; an event tells the outcome.

        Fails with the reason `CONVERSATION_WITH_AGENT` where one has it, and `CONVERSATION_ENDED` where it is idle.
        """
        request = TransferConversationRequest(tenant=tenant, conversation_id=conversation_id, assignment=assignment)
        return await self._call(request, TransferConversationResponse, timeout)

    async def create_post_agent_assignment(
        self,
        conversation_id: str,
        webhook_id: str,
        *,
        notify_channel_webhook: bool | None = None,
        max_total_minutes: int = 0,
        user_timeout_minutes: int = 0,
        tenant: str = "",
        timeout: float | None = None,
    ) -> None:
        """Asks that the conversation come back to a bot, behind a webhook, once the agent has left.

        0 minutes and None are the vendor's defaults.
        """
        request = CreatePostAgentAssignmentRequest(
            tenant=tenant,
            conversation_id=conversation_id,
            webhook_id=webhook_id,
            notify_channel_webhook=notify_channel_webhook,
            max_total_minutes=max_total_minutes,
            user_timeout_minutes=user_timeout_minutes,
        )
        await self._call(request, CreatePostAgentAssignmentResponse, timeout)

    async def end_conversation(self, conversation_id: str, *, tenant: str = "", timeout: float | None = None) -> None:
        """Ends the current interaction on the customer's behalf; a new message starts another."""
        request = EndConversationRequest(tenant=tenant, conversation_id=conversation_id)
        await self._call(request, EndConversationResponse, timeout)

    async def list_interactions(
        self,
        conversation_id: str,
        *,
        page_size: int = 0,
        page_token: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> ListInteractionsResponse:
        """Reads one page of a conversation's interactions from the vendor."""
        request = ListInteractionsRequest(
            tenant=tenant, conversation_id=conversation_id, page_size=page_size, page_token=page_token
        )
        return await self._call(request, ListInteractionsResponse, timeout)

    async def iterate_interactions(
        self, conversation_id: str, *, page_size: int = 100, tenant: str = "", timeout: float | None = None
    ) -> AsyncIterator[Interaction]:
        """Every interaction of a conversation, page after page; `timeout` is that of each page."""
        async for page in pages(
            lambda token: self.list_interactions(
                conversation_id, page_size=page_size, page_token=token, tenant=tenant, timeout=timeout
            )
        ):
            for interaction in page.interactions:
                yield interaction

    async def list_participants(
        self,
        conversation_id: str,
        *,
        page_size: int = 0,
        page_token: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> ListParticipantsResponse:
        """Reads one page of who took part in a conversation from the vendor."""
        request = ListParticipantsRequest(
            tenant=tenant, conversation_id=conversation_id, page_size=page_size, page_token=page_token
        )
        return await self._call(request, ListParticipantsResponse, timeout)

    async def iterate_participants(
        self, conversation_id: str, *, page_size: int = 100, tenant: str = "", timeout: float | None = None
    ) -> AsyncIterator[Participant]:
        """Everybody who took part in a conversation, page after page; `timeout` is that of each page."""
        async for page in pages(
            lambda token: self.list_participants(
                conversation_id, page_size=page_size, page_token=token, tenant=tenant, timeout=timeout
            )
        ):
            for participant in page.participants:
                yield participant
