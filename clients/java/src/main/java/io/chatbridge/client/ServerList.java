package io.chatbridge.client;

import io.grpc.Attributes;
import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.Status;
import io.grpc.StatusOr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;

/** Several servers that the application named one by one, as a target of gRPC. */
final class ServerList extends NameResolverProvider {
  private static final String SCHEME = "chatbridge-servers";

  /** The target for servers, each {@code host:port}. */
  static String target(List<String> servers) {
    String path = String.join(",", servers.stream().map(ServerList::plain).toList());
    return SCHEME + ":///" + path.replace("[", "%5B").replace("]", "%5D");
  }

  private static String plain(String server) {
    String hostAndPort = server.startsWith("dns:///") ? server.substring(7) : server;
    parse(hostAndPort);
    return hostAndPort;
  }

  private static URI parse(String hostAndPort) {
    URI uri = URI.create("//" + hostAndPort);
    if (uri.getHost() == null || uri.getPort() < 0) {
      throw new IllegalArgumentException("not a server as host:port: " + hostAndPort);
    }
    return uri;
  }

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return 5;
  }

  @Override
  public String getDefaultScheme() {
    return SCHEME;
  }

  @Override
  public Collection<Class<? extends SocketAddress>> getProducedSocketAddressTypes() {
    return Set.of(InetSocketAddress.class);
  }

  @Override
  public NameResolver newNameResolver(URI target, NameResolver.Args args) {
    if (!SCHEME.equals(target.getScheme())) {
      return null;
    }
    List<URI> servers = new ArrayList<>();
    for (String server : target.getPath().substring(1).split(",")) {
      servers.add(parse(server));
    }
    return new Resolver(servers, args.getOffloadExecutor());
  }

  private static final class Resolver extends NameResolver {
    private final List<URI> servers;
    private final Executor executor;
    private Listener2 listener;

    Resolver(List<URI> servers, Executor executor) {
      this.servers = servers;
      this.executor = executor;
    }

    @Override
    public String getServiceAuthority() {
      return servers.get(0).getAuthority();
    }

    @Override
    public void start(Listener2 listener) {
      this.listener = listener;
      refresh();
    }

    @Override
    public void refresh() {
      executor.execute(
          () ->
              listener.onResult(
                  ResolutionResult.newBuilder().setAddressesOrError(resolve()).build()));
    }

    private StatusOr<List<EquivalentAddressGroup>> resolve() {
      List<EquivalentAddressGroup> found = new ArrayList<>();
      UnknownHostException unknown = null;
      for (URI server : servers) {
        // Each is asked by its own name, which its certificate has.
        Attributes named =
            Attributes.newBuilder()
                .set(EquivalentAddressGroup.ATTR_AUTHORITY_OVERRIDE, server.getAuthority())
                .build();
        try {
          for (InetAddress address : InetAddress.getAllByName(server.getHost())) {
            found.add(
                new EquivalentAddressGroup(
                    new InetSocketAddress(address, server.getPort()), named));
          }
        } catch (UnknownHostException notFound) {
          unknown = notFound;
        }
      }
      return found.isEmpty()
          ? StatusOr.fromStatus(
              Status.UNAVAILABLE.withDescription("no server's name is known").withCause(unknown))
          : StatusOr.fromValue(found);
    }

    @Override
    public void shutdown() {}
  }
}
