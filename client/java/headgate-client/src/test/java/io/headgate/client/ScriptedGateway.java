package io.headgate.client;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.headgate.v1.EventServiceGrpc;
import io.headgate.v1.SaveCursorsRequest;
import io.headgate.v1.SaveCursorsResponse;
import io.headgate.v1.ShardSave;
import io.headgate.v1.SubscribeRequest;
import io.headgate.v1.SubscribeResponse;
import io.headgate.v1.SubscriptionServiceGrpc;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A gateway that listens on this machine, speaks real gRPC and does what the test tells it. */
final class ScriptedGateway implements AutoCloseable {
  /** What becomes of one call of Subscribe. */
  interface Script {
    void run(SubscribeRequest request, ServerCallStreamObserver<SubscribeResponse> out);
  }

  final List<SubscribeRequest> requests = new CopyOnWriteArrayList<>();
  final List<SocketAddress> peers = new CopyOnWriteArrayList<>(); // who made each call: another one for another connection
  final List<String> tokens = new CopyOnWriteArrayList<>();
  final List<String> saves = new CopyOnWriteArrayList<>(); // place@lease, and whether it releases
  volatile Function<ShardSave, Throwable> save = one -> null;
  private final Script[] scripts;
  private final Server server;

  /** The nth call of Subscribe runs the nth script, later ones the last. */
  ScriptedGateway(Script... scripts) throws IOException {
    this(InsecureServerCredentials.create(), scripts);
  }

  ScriptedGateway(ServerCredentials credentials, Script... scripts) throws IOException {
    this.scripts = scripts;
    server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0), credentials).addService(new Events()).addService(new Subscriptions()).intercept(new Tokens()).build().start();
  }

  String address() {
    return "127.0.0.1:" + server.getPort();
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Sends the responses and ends the stream. */
  static Script send(SubscribeResponse... responses) {
    return (request, out) -> {
      List.of(responses).forEach(out::onNext);
      out.onCompleted();
    };
  }

  /** Sends the responses and is silent then. */
  static Script sendAndHold(SubscribeResponse... responses) {
    return (request, out) -> List.of(responses).forEach(out::onNext);
  }

  /** Sends the responses and ends the stream with the error. */
  static Script sendAndFail(Throwable error, SubscribeResponse... responses) {
    return (request, out) -> {
      List.of(responses).forEach(out::onNext);
      out.onError(error);
    };
  }

  private synchronized int count(SubscribeRequest request) {
    requests.add(request);
    return requests.size() - 1;
  }

  private final class Events extends EventServiceGrpc.EventServiceImplBase {
    @Override
    public void subscribe(SubscribeRequest request, StreamObserver<SubscribeResponse> out) {
      int n = count(request);
      ServerCallStreamObserver<SubscribeResponse> call = (ServerCallStreamObserver<SubscribeResponse>) out;
      call.setOnCancelHandler(() -> {}); // what is sent afterwards goes nowhere
      scripts[Math.min(n, scripts.length - 1)].run(request, call);
    }
  }

  private final class Subscriptions extends SubscriptionServiceGrpc.SubscriptionServiceImplBase {
    @Override
    public void saveCursors(SaveCursorsRequest request, StreamObserver<SaveCursorsResponse> out) {
      ShardSave one = request.getSaves(0);
      saves.add(one.getCursor().replaceAll("^c*0*", "") + "@" + one.getLease() + (one.getRelease() ? " release" : ""));
      Throwable refusal = save.apply(one);
      if (refusal != null) {
        out.onError(refusal);
        return;
      }
      out.onNext(SaveCursorsResponse.getDefaultInstance());
      out.onCompleted();
    }
  }

  private final class Tokens implements ServerInterceptor {
    @Override
    public <A, B> ServerCall.Listener<A> interceptCall(ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
      String token = headers.get(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER));
      peers.add(call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR));
      tokens.add(token == null ? "" : token);
      return next.startCall(call, headers);
    }
  }
}
