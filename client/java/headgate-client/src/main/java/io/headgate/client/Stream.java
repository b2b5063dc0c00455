package io.headgate.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.headgate.v1.EventServiceGrpc;
import io.headgate.v1.SubscribeRequest;
import io.headgate.v1.SubscribeResponse;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One call of Subscribe, read by one thread. A response is asked for only when it is waited for: what is not read stays with the gateway, but for the
 * transport's window.
 */
final class Stream {
  private final BlockingQueue<Runnable> arrived = new LinkedBlockingQueue<>(); // a response and the end at most
  private final AtomicReference<HeadgateException> givenUp = new AtomicReference<>();
  private final ClientCall<SubscribeRequest, SubscribeResponse> call;

  // Set by what arrived, in the thread that reads.
  private SubscribeResponse response;
  private Status status;
  private Metadata trailers;

  Stream(Channel channel, SubscribeRequest request) {
    call = channel.newCall(EventServiceGrpc.getSubscribeMethod(), CallOptions.DEFAULT.withExecutor(Runnable::run));
    call.start(new Listener(), new Metadata());
    call.sendMessage(request);
    call.halfClose();
  }

  /**
   * Waits for the next response.
   *
   * @throws Broken when nothing came within the limit, or the call ended without an error
   * @throws HeadgateException when the call ended with an error
   */
  SubscribeResponse read(Duration limit) throws Broken, InterruptedException {
    call.request(1);
    Runnable next = arrived.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
    if (next == null) {
      cancel();
      throw Broken.silent();
    }
    response = null;
    next.run();
    if (response != null) {
      return response;
    }
    if (status.isOk()) {
      throw Broken.ended();
    }
    throw HeadgateException.of("", status, trailers, status.getCause());
  }

  /** Ends the call for a reason of this side, the first of which counts. Safe from any thread. */
  void giveUp(HeadgateException cause) {
    givenUp.compareAndSet(null, cause);
    cancel();
  }

  /** Why this side ended the call, null when it did not. */
  HeadgateException givenUp() {
    return givenUp.get();
  }

  /** Ends the call. Safe from any thread. */
  void cancel() {
    call.cancel("the reader left", null);
  }

  private final class Listener extends ClientCall.Listener<SubscribeResponse> {
    @Override
    public void onMessage(SubscribeResponse message) {
      arrived.add(() -> response = message);
    }

    @Override
    public void onClose(Status ended, Metadata with) {
      arrived.add(() -> {
        status = ended;
        trailers = with;
      });
    }
  }
}
