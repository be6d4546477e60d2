package io.chatbridge.client;

import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionHandler;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads of one client. They are its own, so that none is left when it is closed. */
final class Threads {
  static final String PREFIX = "chatbridge-";

  /** Runs what may block: answers, functions of the application, subscribers. */
  final ExecutorService executor;

  /** Knows when; what it starts goes to the executor. */
  final ScheduledThreadPoolExecutor timer;

  /** Reads and writes connections. */
  final EventLoopGroup network;

  Threads() {
    // What comes after the end is of calls that have been told of the end already.
    RejectedExecutionHandler ignore = (task, pool) -> {};
    executor =
        new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            30,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            factory("call"),
            ignore);
    timer = new ScheduledThreadPoolExecutor(1, factory("timer"), ignore);
    timer.setRemoveOnCancelPolicy(true);
    network = new MultiThreadIoEventLoopGroup(1, factory("network"), NioIoHandler.newFactory());
  }

  private static ThreadFactory factory(String what) {
    AtomicInteger count = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, PREFIX + what + "-" + count.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  /**
   * Ends them all; the calls must have ended. Waits for that, if need be for the given time each.
   */
  void close(Duration atMost) {
    timer.shutdownNow();
    executor.shutdown();
    network.shutdownGracefully(0, atMost.toMillis(), TimeUnit.MILLISECONDS);
    if (Thread.currentThread().getName().startsWith(PREFIX)) {
      return; // A thread cannot wait for its own end.
    }
    try {
      network.awaitTermination(atMost.toMillis(), TimeUnit.MILLISECONDS);
      timer.awaitTermination(atMost.toMillis(), TimeUnit.MILLISECONDS);
      executor.awaitTermination(atMost.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
