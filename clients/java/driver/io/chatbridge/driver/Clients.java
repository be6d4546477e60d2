package io.chatbridge.driver;

import io.chatbridge.client.Chatbridge;
import io.chatbridge.client.ChatbridgeBuilder;
import io.chatbridge.driver.v1.OpenClient;
import io.chatbridge.driver.v1.SetToken;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The clients by their names. */
final class Clients {
  private final Map<String, Chatbridge> clients = new ConcurrentHashMap<>();
  private final Map<String, String> tokens = new ConcurrentHashMap<>();

  void open(OpenClient request) {
    String name = request.getClient();
    String[] servers =
        request.getTargetsCount() > 0
            ? request.getTargetsList().toArray(String[]::new)
            : new String[] {request.getTarget()};
    ChatbridgeBuilder builder = Chatbridge.builder(servers).tenant(request.getTenant());
    if (request.getCaPem().isEmpty()) {
      builder.plaintext();
    } else {
      builder.certificateAuthorities(request.getCaPem().toByteArray());
    }
    if (!request.getCertificatePem().isEmpty()) {
      builder.clientCertificate(
          request.getCertificatePem().toByteArray(), request.getKeyPem().toByteArray());
    }
    tokens.put(name, request.getToken());
    builder.token(() -> tokens.get(name));
    if (request.hasTimeout()) {
      builder.timeout(duration(request.getTimeout()));
    }
    if (request.getAttempts() > 0) {
      builder.attempts(request.getAttempts());
    }
    clients.put(name, builder.build());
  }

  Chatbridge get(String name) {
    Chatbridge client = clients.get(name);
    if (client == null) {
      throw new IllegalArgumentException("no client is called " + name);
    }
    return client;
  }

  void setToken(SetToken request) {
    tokens.put(request.getClient(), request.getToken());
  }

  void close(String name) {
    get(name).close();
  }

  static Duration duration(com.google.protobuf.Duration told) {
    return Duration.ofSeconds(told.getSeconds(), told.getNanos());
  }
}
