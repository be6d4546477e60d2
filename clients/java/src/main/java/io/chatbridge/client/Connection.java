package io.chatbridge.client;

import io.grpc.ManagedChannel;

/** One channel; replaced as a whole where what is below it may be dead. */
record Connection(ManagedChannel channel, long openedNanos) {}
