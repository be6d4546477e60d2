"""Messages of conversations."""

from __future__ import annotations

from collections.abc import AsyncIterator

from chatbridge.calls import Calls, pages
from chatbridge.messages import from_user
from chatbridge.v1 import (
    GetMessageRequest,
    GetMessageResponse,
    ListMessagesRequest,
    ListMessagesResponse,
    Message,
    MessageInput,
    SendMessageRequest,
    SendMessageResponse,
)


class MessageCalls(Calls):
    """Calls of `ConversationService` about messages."""

    async def send_message(
        self,
        conversation_id: str,
        message: MessageInput | str,
        *,
        request_id: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> SendMessageResponse:
        """Sends a message; a `str` is sent as the customer's text.

        `request_id` is a UUID that makes a repeat harmless and comes back on the echo; empty: a new one.
        """
        request = SendMessageRequest(
            tenant=tenant,
            conversation_id=conversation_id,
            request_id=request_id,
            message=from_user(message) if isinstance(message, str) else message,
        )
        return await self._call(request, SendMessageResponse, timeout)

    async def get_message(
        self, conversation_id: str, message_id: str, *, tenant: str = "", timeout: float | None = None
    ) -> Message:
        """Reads one message from the vendor."""
        request = GetMessageRequest(tenant=tenant, conversation_id=conversation_id, message_id=message_id)
        return (await self._call(request, GetMessageResponse, timeout)).message

    async def list_messages(
        self,
        conversation_id: str,
        *,
        page_size: int = 0,
        page_token: str = "",
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> ListMessagesResponse:
        """Reads one page of a conversation's messages from the vendor, the newest first unless `order_by` says."""
        request = ListMessagesRequest(
            tenant=tenant,
            conversation_id=conversation_id,
            page_size=page_size,
            page_token=page_token,
            order_by=order_by,
        )
        return await self._call(request, ListMessagesResponse, timeout)

    async def iterate_messages(
        self,
        conversation_id: str,
        *,
        page_size: int = 100,
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> AsyncIterator[Message]:
        """Every message of a conversation, page after page; `timeout` is that of each page."""
        async for page in pages(
            lambda token: self.list_messages(
                conversation_id,
                page_size=page_size,
                page_token=token,
                order_by=order_by,
                tenant=tenant,
                timeout=timeout,
            )
        ):
            for message in page.messages:
                yield message
