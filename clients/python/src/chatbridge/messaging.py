"""Messages, and signs that somebody writes one."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

from chatbridge.calls import Calls, pages
from chatbridge.messages import from_user
from chatbridge.v1 import (
    AuthorType,
    ListMessagesRequest,
    ListMessagesResponse,
    Message,
    MessageInput,
    SendMessageRequest,
    SendMessageResponse,
    SendTypingIndicatorRequest,
    SendTypingIndicatorResponse,
)


class MessageCalls(Calls):
    """Calls of `ConversationService` about messages."""

    async def send_message(
        self,
        conversation_id: str,
        message: MessageInput | str,
        *,
        request_id: str = "",
        timeout: float | None = None,
    ) -> SendMessageResponse:
        """Sends a message; a `str` is sent as the customer's text.

        `request_id` is a UUID that makes a repeat harmless and comes back on the echo; empty: a new one.
        """
        request = SendMessageRequest(
            tenant=self._tenant,
            conversation_id=conversation_id,
            request_id=request_id or str(uuid.uuid4()),
            message=from_user(message) if isinstance(message, str) else message,
        )
        return await self._call(self._connection.conversations.SendMessage, request, timeout)

    async def list_messages(
        self,
        conversation_id: str,
        *,
        page_size: int = 0,
        page_token: str = "",
        order_by: str = "",
        timeout: float | None = None,
    ) -> ListMessagesResponse:
        """Reads one page of a conversation's messages from the vendor, the newest first unless `order_by` says."""
        request = ListMessagesRequest(
            tenant=self._tenant,
            conversation_id=conversation_id,
            page_size=page_size,
            page_token=page_token,
            order_by=order_by,
        )
        return await self._call(self._connection.conversations.ListMessages, request, timeout)

    async def iterate_messages(
        self, conversation_id: str, *, page_size: int = 100, order_by: str = "", timeout: float | None = None
    ) -> AsyncIterator[Message]:
        """Every message of a conversation, page after page; `timeout` is that of each page."""
        async for page in pages(
            lambda token: self.list_messages(
                conversation_id, page_size=page_size, page_token=token, order_by=order_by, timeout=timeout
            )
        ):
            for message in page.messages:
                yield message

    async def send_typing_indicator(
        self,
        conversation_id: str,
        author_type: AuthorType.ValueType = AuthorType.AUTHOR_TYPE_USER,
        *,
        timeout: float | None = None,
    ) -> SendTypingIndicatorResponse:
        """Shows the agent that the customer, or the bot, is typing."""
        request = SendTypingIndicatorRequest(
            tenant=self._tenant, conversation_id=conversation_id, author_type=author_type
        )
        return await self._call(self._connection.conversations.SendTypingIndicator, request, timeout)
