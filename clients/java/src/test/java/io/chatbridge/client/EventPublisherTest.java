package io.chatbridge.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.AgentEventsResponse;
import io.chatbridge.v1.EndingReason;
import io.chatbridge.v1.ReconnectAdvice;
import io.grpc.Status;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Flow;
import org.junit.jupiter.api.Test;
import org.reactivestreams.tck.TestEnvironment;
import org.reactivestreams.tck.flow.FlowPublisherVerification;
import org.testng.ITestResult;
import org.testng.TestListenerAdapter;
import org.testng.TestNG;
import org.testng.annotations.AfterClass;
import org.testng.annotations.BeforeClass;

class EventPublisherTest {
  /** Runs the rules of reactive streams, which are written for another framework. */
  @Test
  void keepsTheRulesOfReactiveStreams() {
    TestListenerAdapter results = new TestListenerAdapter();
    TestNG rules = new TestNG(false);
    rules.setTestClasses(new Class<?>[] {Rules.class});
    rules.addListener(results);
    rules.setVerbose(0);
    rules.run();
    List<String> failed =
        results.getFailedTests().stream()
            .map(result -> result.getName() + ": " + result.getThrowable())
            .toList();
    assertEquals(List.of(), failed);
    assertEquals(
        true, results.getPassedTests().size() > 20, results.getPassedTests().size() + " passed");
    assertEquals(
        List.of(), results.getConfigurationFailures().stream().map(ITestResult::getName).toList());
  }

  /** The rules, over streams of as many responses as are wanted. */
  public static final class Rules extends FlowPublisherVerification<AgentEventsResponse> {
    private static final long TIMEOUT_MS = 500;
    private static final long NOTHING_COMES_MS = 50;
    private static final int REFUSED = -1;

    private FakeService service;
    private Chatbridge chatbridge;

    public Rules() {
      super(new TestEnvironment(TIMEOUT_MS, NOTHING_COMES_MS), 100);
    }

    @BeforeClass
    public void start() throws IOException {
      service = new FakeService();
      service.script = Rules::write;
      chatbridge = service.client();
    }

    @AfterClass
    public void stop() {
      chatbridge.close();
      service.close();
    }

    @Override
    public long maxElementsFromPublisher() {
      return 100;
    }

    @Override
    public Flow.Publisher<AgentEventsResponse> createFlowPublisher(long elements) {
      return publisher((int) elements);
    }

    @Override
    public Flow.Publisher<AgentEventsResponse> createFailedFlowPublisher() {
      return publisher(REFUSED);
    }

    /** A stream's request says how long it is to be. */
    private Flow.Publisher<AgentEventsResponse> publisher(int elements) {
      return chatbridge.agentEventsPublisher(
          AgentEventsRequest.newBuilder().setMaxUncommitted(elements).build(),
          EventOptions.defaults().withoutResume());
    }

    /** The last is the ending. */
    private static void write(FakeService.Opened stream) {
      int elements = stream.request().getMaxUncommitted();
      if (elements == REFUSED) {
        stream.fail(Status.PERMISSION_DENIED);
        return;
      }
      for (int number = 1; number < elements; number++) {
        stream.send(Responses.event(number));
      }
      stream.send(
          Responses.ending(
              EndingReason.ENDING_REASON_MAX_AGE, ReconnectAdvice.RECONNECT_ADVICE_NOW));
    }
  }
}
