"""Files of conversations."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

from google.protobuf.message import Message

from chatbridge.calls import Calls, pages
from chatbridge.contents import chunks_of
from chatbridge.contract import fill_in
from chatbridge.files import Described, File, describe
from chatbridge.v1 import (
    Attachment,
    DownloadAttachmentRequest,
    DownloadAttachmentResponse,
    GetAttachmentRequest,
    GetAttachmentResponse,
    ListAttachmentsRequest,
    ListAttachmentsResponse,
    UploadAttachmentRequest,
    UploadAttachmentResponse,
    UploadAttachmentStart,
)


class AttachmentCalls(Calls):
    """Calls of `AttachmentService`."""

    async def upload_attachment(
        self,
        conversation_id: str,
        file: File | str | os.PathLike[str],
        *,
        request_id: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> Attachment:
        """Uploads a file, a path or a `File`. A message that refers to its `id` shows it to the agent.

        `request_id` is a UUID that makes a repeat with the same bytes harmless; empty: a new one.
        """
        described = await asyncio.to_thread(describe, file)
        start = UploadAttachmentStart(
            tenant=tenant,
            conversation_id=conversation_id,
            request_id=request_id,
            file_name=described.file_name,
            media_type=described.media_type,
            size_bytes=described.size_bytes,
            author_type=described.author_type,
        )
        fill_in(start, self._settings.tenant)
        upload = _upload(start, described)
        return (await self._send(UploadAttachmentRequest, upload, UploadAttachmentResponse, timeout)).attachment

    async def download_attachment(
        self, conversation_id: str, attachment_id: str, *, tenant: str = "", timeout: float | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a file, piece by piece. Where it raises, what came before is only the beginning."""
        request = DownloadAttachmentRequest(
            tenant=tenant, conversation_id=conversation_id, attachment_id=attachment_id
        )
        async with aclosing(self._receive(request, DownloadAttachmentResponse, timeout)) as parts:
            async for part in parts:
                if part.HasField("chunk"):
                    yield part.chunk

    async def download_attachment_to(
        self,
        conversation_id: str,
        attachment_id: str,
        path: str | os.PathLike[str],
        *,
        tenant: str = "",
        timeout: float | None = None,
    ) -> Attachment:
        """Downloads a file to `path`, which is written or replaced only once the file is complete.

        What is answered tells its name, type and size, as far as the vendor says them with the bytes.
        """
        request = DownloadAttachmentRequest(
            tenant=tenant, conversation_id=conversation_id, attachment_id=attachment_id
        )
        target = Path(path)
        found = Attachment()
        descriptor, partial_name = await asyncio.to_thread(
            tempfile.mkstemp, dir=target.parent, prefix=f".{target.name}."
        )
        try:
            with os.fdopen(descriptor, "wb") as partial:
                async with aclosing(self._receive(request, DownloadAttachmentResponse, timeout)) as parts:
                    async for part in parts:
                        if part.HasField("start"):
                            found = part.start
                        else:
                            await asyncio.to_thread(partial.write, part.chunk)
            await asyncio.to_thread(os.replace, partial_name, target)
        except BaseException:
            os.unlink(partial_name)
            raise
        return found

    async def get_attachment(
        self, conversation_id: str, attachment_id: str, *, tenant: str = "", timeout: float | None = None
    ) -> Attachment:
        """Reads a file's details from the vendor."""
        request = GetAttachmentRequest(tenant=tenant, conversation_id=conversation_id, attachment_id=attachment_id)
        return (await self._call(request, GetAttachmentResponse, timeout)).attachment

    async def list_attachments(
        self,
        conversation_id: str,
        *,
        page_size: int = 0,
        page_token: str = "",
        filter: str = "",  # noqa: A002 (the contract's word)
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> ListAttachmentsResponse:
        """Reads one page of a conversation's files from the vendor. `filter` is FIQL."""
        request = ListAttachmentsRequest(
            tenant=tenant,
            conversation_id=conversation_id,
            page_size=page_size,
            page_token=page_token,
            filter=filter,
            order_by=order_by,
        )
        return await self._call(request, ListAttachmentsResponse, timeout)

    async def iterate_attachments(
        self,
        conversation_id: str,
        *,
        page_size: int = 100,
        filter: str = "",  # noqa: A002 (the contract's word)
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> AsyncIterator[Attachment]:
        """Every file of a conversation, page after page; `timeout` is that of each page."""
        async for page in pages(
            lambda token: self.list_attachments(
                conversation_id,
                page_size=page_size,
                page_token=token,
                filter=filter,
                order_by=order_by,
                tenant=tenant,
                timeout=timeout,
            )
        ):
            for attachment in page.attachments:
                yield attachment


async def _upload(start: UploadAttachmentStart, file: Described) -> AsyncGenerator[Message, None]:
    yield UploadAttachmentRequest(start=start)
    async with aclosing(chunks_of(file)) as chunks:
        async for chunk in chunks:
            yield UploadAttachmentRequest(chunk=chunk)
