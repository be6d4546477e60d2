"""Customers on their way from a bot to an agent, with all that was said and sent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing

from google.protobuf.message import Message

from chatbridge.calls import Calls
from chatbridge.contents import chunks_of
from chatbridge.contract import fill_in
from chatbridge.files import Described, File, describe
from chatbridge.v1 import (
    Assignment,
    HandOver,
    HandOverConversationRequest,
    HandOverConversationResponse,
    HandOverFile,
    MessageInput,
    TranscriptPolicy,
    User,
)


class HandOverCalls(Calls):
    """`HandOverConversation` of `ConversationService`."""

    async def hand_over_conversation(
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
        tenant: str = "",
        timeout: float | None = None,
    ) -> HandOverConversationResponse:
        """Hands a customer over in one call: conversation, transcript of any length, context and files.

        `files` are paths or `File`s, at most 50; one that is not there raises before anything is sent. What became of
        each is in `files` of the answer, since a file that fails does not undo the conversation. `request_id` is a
        UUID that makes a repeat with the same content harmless; empty: a new one.
        """
        start = HandOver(
            tenant=tenant,
            request_id=request_id,
            channel_id=channel_id,
            user=user,
            assignment=assignment,
            history=history,
            labels=labels,
            transcript_policy=transcript_policy,
            omission_note=omission_note,
        )
        fill_in(start, self._settings.tenant)
        described = [await asyncio.to_thread(describe, file) for file in files]
        parts = _hand_over(start, described)
        return await self._send(HandOverConversationRequest, parts, HandOverConversationResponse, timeout)


async def _hand_over(start: HandOver, files: Sequence[Described]) -> AsyncGenerator[Message, None]:
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
        async with aclosing(chunks_of(file)) as chunks:
            async for chunk in chunks:
                yield HandOverConversationRequest(chunk=chunk)
