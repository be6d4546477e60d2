package io.chatbridge.driver;

import io.chatbridge.driver.v1.Done;
import io.chatbridge.driver.v1.Request;
import io.chatbridge.driver.v1.Response;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The driver of scenarios around the Java client, as tests/scenarios/driver.proto describes it. */
public final class Main {
  private final OutputStream out = new BufferedOutputStream(System.out);
  private final Clients clients = new Clients();
  private final Streams streams = new Streams(clients);

  private Main() {}

  /** Runs until the input ends. */
  public static void main(String[] arguments) throws IOException {
    Main driver = new Main();
    ExecutorService threads = Executors.newCachedThreadPool();
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    String line;
    while ((line = in.readLine()) != null) {
      Request request = Request.parseFrom(Base64.getDecoder().decode(line));
      // What opens and closes is quick, and what comes after it may need it.
      if (request.hasOpenClient() || request.hasSetToken() || request.hasOpenStream()) {
        driver.answer(request);
      } else {
        threads.execute(() -> driver.answer(request));
      }
    }
    System.exit(0);
  }

  private void answer(Request request) {
    Response.Builder response = Response.newBuilder();
    try {
      run(request, response);
    } catch (io.chatbridge.client.ChatbridgeException error) {
      response.setError(Errors.of(error));
    } catch (Exception | Error failure) {
      failure.printStackTrace();
      response.setFailure(failure.toString());
    }
    try {
      write(response.setId(request.getId()).build());
    } catch (IOException gone) {
      // Nobody listens any more.
      System.exit(1);
    }
  }

  /**
   * Writes a line piece by piece: what was taken from a stream may be most of what fits into
   * memory.
   */
  private void write(Response response) throws IOException {
    synchronized (out) {
      OutputStream encoder = Base64.getEncoder().wrap(new Unclosed(out));
      response.writeTo(encoder);
      encoder.close();
      out.write('\n');
      out.flush();
    }
  }

  /** The encoder must be closed, and what it writes to must not. */
  private static final class Unclosed extends FilterOutputStream {
    Unclosed(OutputStream out) {
      super(out);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void close() {}
  }

  private void run(Request request, Response.Builder response) throws Exception {
    switch (request.getCommandCase()) {
      case OPEN_CLIENT -> {
        clients.open(request.getOpenClient());
        response.setDone(Done.getDefaultInstance());
      }
      case CLOSE_CLIENT -> {
        clients.close(request.getCloseClient().getClient());
        response.setDone(Done.getDefaultInstance());
      }
      case SET_TOKEN -> {
        clients.setToken(request.getSetToken());
        response.setDone(Done.getDefaultInstance());
      }
      case CALL -> response.setCall(Calls.call(clients, request.getCall()));
      case UPLOAD -> response.setCall(Calls.upload(clients, request.getUpload()));
      case DOWNLOAD -> response.setDownloaded(Calls.download(clients, request.getDownload()));
      case HAND_OVER -> response.setCall(Calls.handOver(clients, request.getHandOver()));
      case COMMIT -> response.setCall(Calls.commit(clients, request.getCommit()));
      case ITERATE -> response.setPages(Calls.iterate(clients, request.getIterate()));
      case OPEN_STREAM -> {
        streams.open(request.getOpenStream());
        response.setDone(Done.getDefaultInstance());
      }
      case TAKE -> response.setTaken(streams.take(request.getTake()));
      case CHANGE -> {
        streams.change(request.getChange());
        response.setDone(Done.getDefaultInstance());
      }
      case CLOSE_STREAM -> {
        streams.close(request.getCloseStream().getStream());
        response.setDone(Done.getDefaultInstance());
      }
      case COMMAND_NOT_SET -> response.setFailure("the driver does not know this request");
    }
  }
}
