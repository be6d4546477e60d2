"""The gRPC channel and its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import grpc

_OPTIONS: Mapping[str, Any] = {
    # A dead connection shows within 40 s even where no packet tells of it; idle clients send nothing.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.keepalive_permit_without_calls": 0,
    "grpc.http2.max_pings_without_data": 0,
    # A page of 100 messages of 64 KiB each does not fit into gRPC's default of 4 MiB.
    "grpc.max_receive_message_length": 16 * 1024 * 1024,
    # gRPC's default of two minutes would outlast a restart of the server by far.
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.max_reconnect_backoff_ms": 5_000,
    "grpc.primary_user_agent": "chatbridge-python",
}


def open_channel(
    target: str,
    credentials: grpc.ChannelCredentials | None,
    interceptors: Sequence[grpc.aio.ClientInterceptor],
    options: Mapping[str, Any],
) -> grpc.aio.Channel:
    """A channel to `target`; `options` win over the client's own."""
    merged = list({**_OPTIONS, **options}.items())
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=merged, interceptors=interceptors)
    return grpc.aio.secure_channel(target, credentials, options=merged, interceptors=interceptors)
