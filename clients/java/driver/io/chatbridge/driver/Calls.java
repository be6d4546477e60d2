package io.chatbridge.driver;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.chatbridge.client.AttachedFile;
import io.chatbridge.client.AttachmentDownload;
import io.chatbridge.client.Chatbridge;
import io.chatbridge.client.FileContent;
import io.chatbridge.driver.v1.Call;
import io.chatbridge.driver.v1.CallResult;
import io.chatbridge.driver.v1.Commit;
import io.chatbridge.driver.v1.Download;
import io.chatbridge.driver.v1.Downloaded;
import io.chatbridge.driver.v1.File;
import io.chatbridge.driver.v1.HandOver;
import io.chatbridge.driver.v1.Iterate;
import io.chatbridge.driver.v1.Pages;
import io.chatbridge.driver.v1.Upload;
import io.chatbridge.v1.CommitCursorRequest;
import io.chatbridge.v1.DownloadAttachmentRequest;
import io.chatbridge.v1.HandOverFile;
import io.chatbridge.v1.UploadAttachmentStart;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;

/** Calls by the client's own methods, which are found by the names that the contract gives them. */
final class Calls {
  private Calls() {}

  static CallResult call(Clients clients, Call call) throws Exception {
    Chatbridge client = clients.get(call.getClient());
    if (call.hasTimeout()) {
      client = client.withTimeout(Clients.duration(call.getTimeout()));
    }
    return result((MessageLite) invoke(client, rpc(call.getMethod()), call.getRequest()));
  }

  static Pages iterate(Clients clients, Iterate list) throws Exception {
    String method = "iterate" + rpc(list.getMethod()).substring("list".length());
    Iterable<?> items =
        (Iterable<?>) invoke(clients.get(list.getClient()), method, list.getRequest());
    Pages.Builder pages = Pages.newBuilder();
    items.forEach(item -> pages.addItems(((MessageLite) item).toByteString()));
    return pages.build();
  }

  static CallResult commit(Clients clients, Commit commit) {
    return result(
        clients
            .get(commit.getClient())
            .commitCursor(
                CommitCursorRequest.newBuilder()
                    .setSubscription(commit.getSubscription())
                    .setCursor(commit.getCursor())
                    .build()));
  }

  static CallResult upload(Clients clients, Upload upload) throws IOException {
    return result(
        clients
            .get(upload.getClient())
            .uploadAttachment(
                UploadAttachmentStart.parseFrom(upload.getStart()),
                FileContent.of(upload.getContent().newInput(), upload.getContent().size())));
  }

  static Downloaded download(Clients clients, Download download) throws IOException {
    try (AttachmentDownload file =
        clients
            .get(download.getClient())
            .downloadAttachment(DownloadAttachmentRequest.parseFrom(download.getRequest()))) {
      return Downloaded.newBuilder()
          .setStart(file.attachment().toByteString())
          .setContent(ByteString.readFrom(file))
          .build();
    }
  }

  static CallResult handOver(Clients clients, HandOver handOver) throws IOException {
    List<AttachedFile> files = new ArrayList<>();
    for (File file : handOver.getFilesList()) {
      files.add(
          new AttachedFile(
              HandOverFile.parseFrom(file.getStart()),
              FileContent.of(file.getContent().toByteArray())));
    }
    return result(
        clients
            .get(handOver.getClient())
            .handOverConversation(io.chatbridge.v1.HandOver.parseFrom(handOver.getStart()), files));
  }

  private static CallResult result(MessageLite response) {
    return CallResult.newBuilder().setResponse(response.toByteString()).build();
  }

  /** {@code chatbridge.v1.ConversationService/SendMessage} is {@code sendMessage}. */
  private static String rpc(String fullName) {
    String name = fullName.substring(fullName.lastIndexOf('/') + 1);
    return Character.toLowerCase(name.charAt(0)) + name.substring(1);
  }

  private static Object invoke(Chatbridge client, String name, ByteString encoded)
      throws Exception {
    for (Method method : Chatbridge.class.getMethods()) {
      if (method.getName().equals(name) && method.getParameterCount() == 1) {
        Object request =
            method
                .getParameterTypes()[0]
                .getMethod("parseFrom", ByteString.class)
                .invoke(null, encoded);
        try {
          return method.invoke(client, request);
        } catch (InvocationTargetException raised) {
          if (raised.getCause() instanceof Exception exception) {
            throw exception;
          }
          throw raised;
        }
      }
    }
    throw new IllegalArgumentException("the client has no method " + name);
  }
}
