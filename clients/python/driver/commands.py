"""What the runner can ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import driver_pb2 as wire
from arguments import Method, arguments
from errors import told
from libraries import Library
from streams import Stream

from chatbridge import ChatbridgeError, File, Retries
from chatbridge.v1 import (
    AgentEventsRequest,
    ChangeAgentEventsRequest,
    DownloadAttachmentRequest,
    HandOver,
    HandOverFile,
    UploadAttachmentResponse,
    UploadAttachmentStart,
)


class Driver:
    """The clients and streams of one run, by name."""

    def __init__(self, library: Library) -> None:
        """Drives `library`."""
        self._library = library
        self._clients: dict[str, Any] = {}
        self._tokens: dict[str, str] = {}
        self._streams: dict[str, Stream] = {}

    async def do(self, request: wire.Request) -> wire.Response:
        """Does what a request asks for."""
        command = request.WhichOneof("command")
        if command is None:
            return wire.Response(unsupported="the request has no command that this driver knows")
        try:
            result: wire.Response = await getattr(self, f"_{command}")(getattr(request, command))
            return result
        except ChatbridgeError as error:
            return wire.Response(error=told(error))

    async def _open_client(self, request: wire.OpenClient) -> wire.Response:
        options: dict[str, Any] = {"tenant": request.tenant, "tls": bool(request.ca_pem)}
        if request.token:
            self._tokens[request.client] = request.token
            options["token"] = lambda: self._tokens[request.client]
        if request.ca_pem:
            options["ca"] = request.ca_pem
        if request.certificate_pem:
            options |= {"certificate": request.certificate_pem, "key": request.key_pem}
        if request.attempts:
            options["retries"] = Retries(attempts=request.attempts)
        if request.HasField("timeout"):
            options["timeout"] = request.timeout.ToTimedelta().total_seconds()
        target = list(request.targets) or request.target
        self._clients[request.client] = await self._library.open(target, **options)
        return wire.Response(done=wire.Done())

    async def _close_client(self, request: wire.CloseClient) -> wire.Response:
        await self._library.close(self._clients.pop(request.client))
        return wire.Response(done=wire.Done())

    async def _set_token(self, request: wire.SetToken) -> wire.Response:
        self._tokens[request.client] = request.token
        return wire.Response(done=wire.Done())

    async def _call(self, request: wire.Call) -> wire.Response:
        method = Method(request.method)
        function = getattr(self._clients[request.client], method.name, None)
        if function is None:
            return wire.Response(unsupported=f"the client has no {method.name}")
        given = arguments(function, method.request(request.request))
        if request.HasField("timeout"):
            given["timeout"] = request.timeout.ToTimedelta().total_seconds()
        return _result(method.response(await self._library.call(function, **given)))

    async def _upload(self, request: wire.Upload) -> wire.Response:
        start = UploadAttachmentStart.FromString(request.start)
        file = File(request.content, start.file_name, start.media_type, author_type=start.author_type)
        attachment = await self._library.call(
            self._clients[request.client].upload_attachment,
            start.conversation_id,
            file,
            request_id=start.request_id,
            tenant=start.tenant,
        )
        return _result(UploadAttachmentResponse(attachment=attachment))

    async def _download(self, request: wire.Download) -> wire.Response:
        asked = DownloadAttachmentRequest.FromString(request.request)
        download = self._clients[request.client].download_attachment(
            asked.conversation_id, asked.attachment_id, tenant=asked.tenant
        )
        content = b"".join(await self._library.all(download))
        return wire.Response(downloaded=wire.Downloaded(content=content))

    async def _hand_over(self, request: wire.HandOver) -> wire.Response:
        function = self._clients[request.client].hand_over_conversation
        given = arguments(function, HandOver.FromString(request.start))
        files = []
        for file in request.files:
            start = HandOverFile.FromString(file.start)
            files.append(
                File(file.content, start.file_name, start.media_type, author_type=start.author_type, text=start.text)
            )
        return _result(await self._library.call(function, **{**given, "files": files}))

    async def _open_stream(self, request: wire.OpenStream) -> wire.Response:
        client = self._clients[request.client]
        asked = AgentEventsRequest.FromString(request.request)
        open_stream = client.subscription_events if asked.subscription else client.agent_events
        given = arguments(open_stream, asked)
        if request.cursor_file:
            given |= self._library.cursors(Path(request.cursor_file))
        if request.buffer:
            given["buffer"] = request.buffer
        stream = open_stream(**given, resume=not request.without_resume)
        self._streams[request.stream] = Stream(self._library, stream)
        return wire.Response(done=wire.Done())

    async def _take(self, request: wire.Take) -> wire.Response:
        return wire.Response(taken=await self._streams[request.stream].take(request))

    async def _change(self, request: wire.Change) -> wire.Response:
        stream = self._streams[request.stream].events
        given = arguments(stream.change, ChangeAgentEventsRequest.FromString(request.request))
        await self._library.call(stream.change, **given)
        return wire.Response(done=wire.Done())

    async def _close_stream(self, request: wire.CloseStream) -> wire.Response:
        await self._streams[request.stream].end()
        return wire.Response(done=wire.Done())

    async def _commit(self, request: wire.Commit) -> wire.Response:
        client = self._clients[request.client]
        moved = await self._library.call(client.commit_cursor, request.subscription, request.cursor)
        return _result(Method("chatbridge.v1.AgentEventService/CommitCursor").response(moved))

    async def _iterate(self, request: wire.Iterate) -> wire.Response:
        method = Method(request.method)
        name = method.name.replace("list_", "iterate_", 1)
        function = getattr(self._clients[request.client], name, None)
        if function is None:
            return wire.Response(unsupported=f"the client has no {name}")
        items = await self._library.all(function(**arguments(function, method.request(request.request))))
        return wire.Response(pages=wire.Pages(items=[item.SerializeToString() for item in items]))


def _result(response: Any) -> wire.Response:
    return wire.Response(call=wire.CallResult(response=response.SerializeToString()))
