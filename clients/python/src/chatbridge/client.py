"""The client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

import grpc

from chatbridge.attachments import AttachmentCalls
from chatbridge.backoff import Backoff, Retries, Watchdog
from chatbridge.cards import CardCalls
from chatbridge.channels import Channels, Lease
from chatbridge.configuration import ConfigurationCalls
from chatbridge.contract import rpc_of
from chatbridge.conversations import ConversationCalls
from chatbridge.events import AgentEvents, Connector, LoadCursor, SaveCursor
from chatbridge.hand_overs import HandOverCalls
from chatbridge.indicators import IndicatorCalls
from chatbridge.messaging import MessageCalls
from chatbridge.progress import Progress
from chatbridge.sessions import SessionCalls
from chatbridge.settings import BUFFER, Settings
from chatbridge.start import Start, set_start
from chatbridge.subscriptions import SubscriptionCalls
from chatbridge.target import Address, Pem
from chatbridge.token import Token
from chatbridge.v1 import (
    AgentEventsRequest,
    AgentEventsResponse,
    ChangeAgentEventsRequest,
    ChangeAgentEventsResponse,
    EventKind,
    GapPolicy,
    StartPosition,
)


class Chatbridge(
    AttachmentCalls,
    CardCalls,
    ConfigurationCalls,
    ConversationCalls,
    HandOverCalls,
    IndicatorCalls,
    MessageCalls,
    SessionCalls,
    SubscriptionCalls,
):
    """A connection to Chatbridge, for use as `async with Chatbridge("host:50051") as chatbridge`, or until `close`.

    It may be used by any number of tasks of one event loop. Calls raise `ChatbridgeError`. Each takes a `tenant`;
    empty means the client's; and a `timeout` in seconds for all its attempts; None means the client's.
    """

    def __init__(
        self,
        target: str | Sequence[str],
        *,
        tenant: str = "",
        token: Token | None = None,
        tls: bool | None = None,
        ca: Pem | None = None,
        certificate: Pem | None = None,
        key: Pem | None = None,
        timeout: float = 15.0,
        transfer_timeout: float = 600.0,
        retries: Retries | None = None,
        backoff: Backoff | None = None,
        watchdog: Watchdog | None = None,
        interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepares a client; the first call connects it.

        `target` is `host:port`, or `dns:///host:port` for a name that stands for several servers, or several
        addresses such as `10.0.0.1:50051`: calls go to one after the other. `tenant` is the tenant of every call that
        names none; empty: the caller's only one.

        `token` is what the operator gave the caller, or a function, which may be a coroutine function, that gives the
        one that is good now: it is asked before every call and whenever a stream connects.

        `tls` says whether the connection is encrypted; None: yes, except where the target is on this machine or
        begins with `http://`. `ca` are the authorities to trust, as PEM or a path; None: the system's. `certificate`
        and `key` show who calls.

        `timeout` is the deadline of each call in seconds, `transfer_timeout` that of one which carries files.
        `retries` is how calls are repeated where that is safe, `backoff` how streams connect again, `watchdog` when
        they do so because of silence. `options` are gRPC channel arguments that add to or replace the client's own.
        """
        settings: Settings[Token] = Settings(
            address=Address(target, tls=tls, ca=ca, certificate=certificate, key=key, options=options or {}),
            tenant=tenant,
            timeout_s=timeout,
            transfer_timeout_s=transfer_timeout,
            retries=retries or Retries(),
            backoff=backoff or Backoff(),
            watchdog=watchdog or Watchdog(),
            token=token,
        )
        super().__init__(settings, Channels(settings.address, interceptors))
        self._streams: set[AgentEvents] = set()

    async def __aenter__(self) -> Chatbridge:
        """The client itself."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the client."""
        await self.close()

    async def close(self) -> None:
        """Ends the streams and closes the connection. Calls that are under way fail with CANCELLED."""
        streams = list(self._streams)
        for stream in streams:
            stream.stop()
        for stream in streams:
            await stream._disconnect()
        await self._channels.close()

    def agent_events(
        self,
        conversation_ids: Iterable[str] = (),
        *,
        kinds: Iterable[EventKind.ValueType] = (),
        start: Start = StartPosition.START_POSITION_LATEST,
        include_echoes: bool = False,
        include_raw: bool = False,
        gap_policy: GapPolicy.ValueType = GapPolicy.GAP_POLICY_UNSPECIFIED,
        changeable: bool = False,
        load_cursor: LoadCursor | None = None,
        save_cursor: SaveCursor | None = None,
        resume: bool = True,
        buffer: int = BUFFER,
        tenant: str = "",
    ) -> AgentEvents:
        """Streams what happens: every response, with its cursor, until the caller stops.

        No `conversation_ids` means all of the tenant's; no `kinds`, all. `start` is a cursor, a time (a `datetime`
        with a zone) or an end of the log. With `resume` the stream connects again after a break, from the last
        response that was received; without it, a break raises and an ending ends the iteration. One that is
        `changeable` has the conversations that are named and no others, and `AgentEvents.change` adds and takes off.

        `load_cursor` is asked once, before the first connection; the cursor that it gives wins over `start`, and None
        means that there is none. `save_cursor` is called with the cursor of each response when the next one is asked
        for: what is saved was processed. Both may be coroutine functions; plain ones should not block.

        `buffer` is how many responses are held that were not asked for yet; then the server has to wait.
        """
        request = AgentEventsRequest(
            tenant=tenant,
            conversation_ids=conversation_ids,
            kinds=kinds,
            include_echoes=include_echoes,
            include_raw=include_raw,
            gap_policy=gap_policy,
            changeable=changeable,
        )
        set_start(request, start)
        return self._stream(request, resume, buffer, load_cursor, save_cursor)

    def subscription_events(
        self,
        subscription: str,
        *,
        member_name: str = "",
        max_uncommitted: int = 0,
        include_raw: bool = False,
        gap_policy: GapPolicy.ValueType = GapPolicy.GAP_POLICY_UNSPECIFIED,
        resume: bool = True,
        buffer: int = BUFFER,
        tenant: str = "",
    ) -> AgentEvents:
        """Streams the events of a named subscription from its committed place on: see `commit_cursor`.

        With `resume` the stream connects again after a break, and goes on behind what was committed by then.
        `max_uncommitted` is how many events of a shared subscription may be under way; 0: the service's default.
        """
        request = AgentEventsRequest(
            tenant=tenant,
            subscription=subscription,
            member_name=member_name,
            max_uncommitted=max_uncommitted,
            include_raw=include_raw,
            gap_policy=gap_policy,
        )
        return self._stream(request, resume, buffer, None, None)

    def _stream(
        self,
        request: AgentEventsRequest,
        resume: bool,
        buffer: int,
        load_cursor: LoadCursor | None,
        save_cursor: SaveCursor | None,
    ) -> AgentEvents:
        if buffer < 1:
            raise ValueError("the buffer must hold at least 1 response")
        request.tenant = request.tenant or self._settings.tenant
        progress = Progress(
            request,
            resume=resume,
            token_can_change=self._settings.token_can_change,
            backoff=self._settings.backoff,
            watchdog=self._settings.watchdog,
        )
        connector = Connector(
            open=self._open_stream,
            give_back=self._channels.give_back,
            change=self._change,
            forget=self._streams.discard,
        )
        stream = AgentEvents(connector, progress, buffer=buffer, load_cursor=load_cursor, save_cursor=save_cursor)
        self._streams.add(stream)
        return stream

    async def _open_stream(self, request: AgentEventsRequest, instead_of: Lease | None) -> tuple[Lease, Any]:
        metadata = await self._metadata()
        lease = await self._channels.borrow(instead_of)
        call = lease.channel.unary_stream(
            rpc_of(AgentEventsRequest).path,
            request_serializer=AgentEventsRequest.SerializeToString,
            response_deserializer=AgentEventsResponse.FromString,
        )
        return lease, call(request, metadata=metadata)

    async def _change(self, request: ChangeAgentEventsRequest) -> int:
        return (await self._call(request, ChangeAgentEventsResponse, None)).revision
