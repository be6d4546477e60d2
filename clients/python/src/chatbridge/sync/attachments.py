# Written from attachments.py by tools/synchronous.py: change that instead.
"""Files of conversations."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

from google.protobuf.message import Message

from chatbridge.contract import fill_in
from chatbridge.files import Described, File, describe, pieces_of
from chatbridge.sync.calls import Calls, pages
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

    def upload_attachment(
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
        described = describe(file, asynchronous=False)
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
        return self._send(UploadAttachmentRequest, upload, UploadAttachmentResponse, timeout).attachment

    def download_attachment(
        self, conversation_id: str, attachment_id: str, *, tenant: str = "", timeout: float | None = None
    ) -> Generator[bytes, None, None]:
        """The bytes of a file, piece by piece. Where it raises, what came before is only the beginning."""
        request = DownloadAttachmentRequest(
            tenant=tenant, conversation_id=conversation_id, attachment_id=attachment_id
        )
        with closing(self._receive(request, DownloadAttachmentResponse, timeout)) as parts:
            for part in parts:
                if part.HasField("chunk"):
                    yield part.chunk

    def download_attachment_to(
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
        descriptor, partial_name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "wb") as partial:
                with closing(self._receive(request, DownloadAttachmentResponse, timeout)) as parts:
                    for part in parts:
                        if part.HasField("start"):
                            found = part.start
                        else:
                            partial.write(part.chunk)
            os.replace(partial_name, target)
        except BaseException:
            os.unlink(partial_name)
            raise
        return found

    def get_attachment(
        self, conversation_id: str, attachment_id: str, *, tenant: str = "", timeout: float | None = None
    ) -> Attachment:
        """Reads a file's details from the vendor."""
        request = GetAttachmentRequest(tenant=tenant, conversation_id=conversation_id, attachment_id=attachment_id)
        return self._call(request, GetAttachmentResponse, timeout).attachment

    def list_attachments(
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
        return self._call(request, ListAttachmentsResponse, timeout)

    def iterate_attachments(
        self,
        conversation_id: str,
        *,
        page_size: int = 100,
        filter: str = "",  # noqa: A002 (the contract's word)
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> Iterator[Attachment]:
        """Every file of a conversation, page after page; `timeout` is that of each page."""
        for page in pages(
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


def _upload(start: UploadAttachmentStart, file: Described) -> Generator[Message, None, None]:
    yield UploadAttachmentRequest(start=start)
    with closing(pieces_of(file.content)) as chunks:
        for chunk in chunks:
            yield UploadAttachmentRequest(chunk=chunk)
