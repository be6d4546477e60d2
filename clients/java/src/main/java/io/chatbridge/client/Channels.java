package io.chatbridge.client;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.NameResolverRegistry;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** How channels are opened. */
final class Channels {
  private static final int CONNECT_TIMEOUT_MS = 10_000;
  private static final String CLEARTEXT = "http://";
  private static final String ENCRYPTED = "https://";

  static {
    NameResolverRegistry.getDefaultRegistry().register(new ServerList());
  }

  private final String target;
  private final ChannelCredentials credentials;
  private final Duration pingAfter;
  private final Duration pingTimeout;
  private final int maxAnswerBytes;

  Channels(ChatbridgeBuilder options) {
    List<String> servers = options.servers.stream().map(Channels::withoutScheme).toList();
    this.target = servers.size() == 1 ? servers.get(0) : ServerList.target(servers);
    this.credentials = credentials(options);
    this.pingAfter = options.pingAfter;
    this.pingTimeout = options.pingTimeout;
    this.maxAnswerBytes = options.maxAnswerBytes;
  }

  /** A channel that connects when it is used first. */
  ManagedChannel open(Threads threads) {
    return NettyChannelBuilder.forTarget(target, credentials)
        .eventLoopGroup(threads.network)
        .channelType(NioSocketChannel.class)
        .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS)
        .executor(threads.executor)
        .offloadExecutor(threads.executor)
        .defaultLoadBalancingPolicy("round_robin")
        .disableRetry()
        .disableServiceConfigLookUp()
        .userAgent("chatbridge-java/" + Version.VERSION)
        .keepAliveTime(pingAfter.toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveTimeout(pingTimeout.toMillis(), TimeUnit.MILLISECONDS)
        .maxInboundMessageSize(maxAnswerBytes)
        .build();
  }

  private static ChannelCredentials credentials(ChatbridgeBuilder options) {
    boolean cleartext = options.servers.stream().anyMatch(server -> server.startsWith(CLEARTEXT));
    boolean encrypted =
        options.authorities != null
            || options.certificate != null
            || options.servers.stream().anyMatch(server -> server.startsWith(ENCRYPTED));
    if ((cleartext || options.plaintext) && encrypted) {
      throw new IllegalArgumentException("the client is to use both cleartext and TLS");
    }
    if (cleartext || options.plaintext) {
      return InsecureChannelCredentials.create();
    }
    TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder();
    try {
      if (options.authorities != null) {
        tls.trustManager(new ByteArrayInputStream(options.authorities));
      }
      if (options.certificate != null) {
        tls.keyManager(
            new ByteArrayInputStream(options.certificate), new ByteArrayInputStream(options.key));
      }
    } catch (IOException unreadable) {
      throw new IllegalArgumentException("a certificate or key cannot be read", unreadable);
    }
    return tls.build();
  }

  private static String withoutScheme(String server) {
    for (String scheme : List.of(CLEARTEXT, ENCRYPTED)) {
      if (server.startsWith(scheme)) {
        return server.substring(scheme.length()).replaceAll("/+$", "");
      }
    }
    return server;
  }
}
