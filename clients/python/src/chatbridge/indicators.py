"""Signs of what somebody does."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chatbridge.calls import Calls
from chatbridge.v1 import (
    AuthorType,
    SendReadReceiptRequest,
    SendReadReceiptResponse,
    SendThinkingIndicatorRequest,
    SendThinkingIndicatorResponse,
    SendTypingIndicatorRequest,
    SendTypingIndicatorResponse,
)


class IndicatorCalls(Calls):
    """Calls of `ConversationService` that show the agent what the customer or the bot does."""

    async def send_typing_indicator(
        self,
        conversation_id: str,
        author_type: AuthorType.ValueType = AuthorType.AUTHOR_TYPE_USER,
        *,
        tenant: str = "",
        timeout: float | None = None,
    ) -> None:
        """Shows the agent that the customer, or the bot, is typing."""
        request = SendTypingIndicatorRequest(tenant=tenant, conversation_id=conversation_id, author_type=author_type)
        await self._call(request, SendTypingIndicatorResponse, timeout)

    async def send_thinking_indicator(
        self,
        conversation_id: str,
        max_thinking_seconds: int = 0,
        *,
        tenant: str = "",
        timeout: float | None = None,
    ) -> None:
        """Shows the agent that the bot is thinking, for at most so many seconds."""
        request = SendThinkingIndicatorRequest(
            tenant=tenant, conversation_id=conversation_id, max_thinking_seconds=max_thinking_seconds
        )
        await self._call(request, SendThinkingIndicatorResponse, timeout)

    async def send_read_receipt(
        self,
        conversation_id: str,
        author_type: AuthorType.ValueType = AuthorType.AUTHOR_TYPE_USER,
        *,
        read_time: datetime | None = None,
        tenant: str = "",
        timeout: float | None = None,
    ) -> None:
        """Shows the agent that the customer, or the bot, has read what came until `read_time`; None: until now.

        A `datetime` needs a zone.
        """
        request = SendReadReceiptRequest(tenant=tenant, conversation_id=conversation_id, author_type=author_type)
        if read_time is not None:
            if read_time.tzinfo is None:
                raise ValueError("read_time needs a time zone, such as datetime.now(timezone.utc)")
            read = Timestamp()
            read.FromDatetime(read_time)
            request.read_time.CopyFrom(read)
        await self._call(request, SendReadReceiptResponse, timeout)
