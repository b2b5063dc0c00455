package io.headgate.client;

import com.google.common.net.HostAndPort;
import com.google.common.net.InetAddresses;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A connection to a gateway. It is safe for concurrent use; many subscriptions can share it. */
public final class Headgate implements AutoCloseable {
  /** The largest answer taken: an event takes at most 3 MiB, and GetEvent returns its raw body beside it. */
  private static final int MAX_MESSAGE = 16 << 20;

  /**
   * How many bytes of a stream may be on their way to a client that does not read. What is on its way when a shard goes to another member is handled by the one
   * before: the less, the sooner the other begins. Slow streams do not hold up the others: gRPC refills the window of the connection by itself.
   */
  private static final int STREAM_WINDOW = 64 << 10;

  private final ManagedChannel channel;
  private final AtomicInteger connections = new AtomicInteger(); // that were given up
  private final ScheduledThreadPoolExecutor scheduler;
  private final String member = newMember();
  private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet(); // consumptions, and the stops of loops

  private Headgate(ManagedChannel channel) {
    this.channel = channel;
    this.scheduler = new ScheduledThreadPoolExecutor(1, task -> {
      Thread thread = new Thread(task, "headgate-client");
      thread.setDaemon(true);
      return thread;
    });
    scheduler.setRemoveOnCancelPolicy(true);
    new Reconnection(channel, scheduler).watch();
  }

  /**
   * Connects without a token: unencrypted to this machine, with the system's roots to any other.
   *
   * @param address of the gateway's gRPC, "host:port"
   * @return a client that must be closed
   * @throws IllegalArgumentException when the address is none
   * @see Builder#connect
   */
  public static Headgate connect(String address) {
    return builder(address).connect();
  }

  /**
   * Begins to describe a connection.
   *
   * @param address of the gateway's gRPC, "host:port"; an IPv6 address stands in brackets
   * @return a builder that knows the address
   * @throws IllegalArgumentException when the address is none
   */
  public static Builder builder(String address) {
    return new Builder(address);
  }

  /**
   * Reads the events of the subscription, first the stored ones and then live, for as long as the loop goes on. Nothing is read before the loop asks for the
   * first message.
   *
   * <pre>{@code
   * try (Messages messages = client.subscribe(Subscription.builder().startAfter(position).build())) {
   *   for (Message message : messages) {
   *     ...
   *   }
   * }
   * }</pre>
   *
   * <p>It connects again, with growing pauses, when the connection breaks, when the gateway stops or is full, and when a stream is silent. It does so only when
   * the loop comes back for the next message, and goes on after the last one that was delivered.
   *
   * <p>With a name the stream is served one shard of the subscription, or waits until there is one. What was handled is saved at the gateway beside the loop, a
   * save at a time, under a lease, and at the latest before the shard goes to another. When the lease is lost nothing more is delivered under it, and the next
   * stream begins. When a handling fails, leave the loop: the message in hand is not saved and comes again, to the next reader of whichever replica. Going
   * on counts as handled. Where the loop's body takes long, or can fail, {@link #consume} is better: it tries again, and tells the handler that the lease is lost.
   *
   * <p>Kinds of messages that this version does not know are passed over, as the contract asks; their cursor counts.
   *
   * @param subscription not null
   * @return the messages, which must be closed by the thread that reads them
   */
  public Messages subscribe(Subscription subscription) {
    Stop stop = new Stop();
    AutoCloseable end = stop::wish;
    open.add(end);
    return new Messages(new Reader(this, subscription, stop, () -> {}), stop, () -> open.remove(end));
  }

  /**
   * Has the events of a named subscription handled, in threads of its own, until the consumption is closed. It serves up to as many shards at once as the
   * subscription has: those that are this member's share. The handler gets the messages of a shard one after the other, those of different shards at the same
   * time. They are events, gaps and erased ones; all else is done here, as {@link #subscribe} does.
   *
   * <p>A message counts as handled when the handler returns, and its cursor is saved. When the handler throws an exception it is called again for the same
   * message, after growing pauses, for as long as it takes: that stops this shard, and no other. {@link Subscription.Builder#onFailure} is told of each
   * failure. An event that can never be handled is left out by SkipEvent or {@code headgate subscription skip}, with the token of this reader; an operator does
   * it with AdminService.SkipEvent.
   *
   * <p>A gap and an erased one go to every shard, so the handler gets each once per shard, at different times.
   *
   * <p>The handler's thread is interrupted when the shard is lost: to another member, because its position was moved, or because the message was left out. What
   * the handler does then does not matter, and another stream begins.
   *
   * @param subscription one with a name
   * @param handler takes the messages
   * @return the consumption, which has begun and must be closed
   * @throws IllegalArgumentException when the subscription has no name
   */
  public Consumption consume(Subscription subscription, MessageHandler handler) {
    if (!subscription.isNamed()) {
      throw new IllegalArgumentException("subscription: to consume it needs a name");
    }
    if (handler == null) {
      throw new IllegalArgumentException("subscription: to consume it needs a handler");
    }
    Consumption[] made = new Consumption[1];
    made[0] = new Consumption(this, subscription, handler, () -> open.remove(made[0]));
    open.add(made[0]);
    made[0].start();
    return made[0];
  }

  /**
   * The connection, for the generated stubs of all other calls. The token goes with them. {@link HeadgateException#of} reads their errors.
   *
   * @return one that ends with this client
   */
  public Channel channel() {
    return channel;
  }

  /** Ends every consumption as its own close does, every loop when it comes back for the next message, and the connection. */
  @Override
  public void close() {
    for (AutoCloseable one : open) {
      try {
        one.close();
      } catch (Exception e) {
        throw new AssertionError(e); // neither of the two throws any
      }
    }
    channel.shutdownNow();
    scheduler.shutdownNow();
  }

  /** What {@link #abandon} is to be told of a stream that begins now. */
  int connection() {
    return connections.get();
  }

  /**
   * Has further calls made over a new connection, unless they are since the stream began: gRPC notices that a connection is dead only by keepalive, and until
   * then new calls wait on it. What is open on the old one goes on, if it can.
   */
  void abandon(int connection) {
    if (connections.compareAndSet(connection, connection + 1)) {
      channel.enterIdle();
    }
  }

  boolean isClosed() {
    return channel.isShutdown();
  }

  ScheduledExecutorService scheduler() {
    return scheduler;
  }

  /** Of its named subscriptions, where they say no other. */
  String member() {
    return member;
  }

  /** A name for this client that no other has, and that tells an operator which machine it is on. */
  private static String newMember() {
    String host;
    try {
      host = InetAddress.getLocalHost().getHostName().replaceAll("[^!-~]", "");
    } catch (UnknownHostException e) {
      host = "";
    }
    return host.substring(0, Math.min(host.length(), 100)) + "-" + UUID.randomUUID().toString().substring(0, 8);
  }

  /** Gathers how to connect. For one thread. */
  public static final class Builder {
    private final HostAndPort address;
    private final boolean local;
    private String token = "";
    private ChannelCredentials tls;

    private Builder(String address) {
      try {
        this.address = HostAndPort.fromString(address);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("address \"" + address + "\": want host:port", e);
      }
      if (!this.address.hasPort()) {
        throw new IllegalArgumentException("address \"" + address + "\": want host:port");
      }
      String host = this.address.getHost();
      local = host.isEmpty() || host.equals("localhost") || InetAddresses.isInetAddress(host) && InetAddresses.forString(host).isLoopbackAddress();
    }

    /**
     * Sends a reader's token with every call. It is never sent unencrypted to another machine: such calls fail. Default: none.
     *
     * @param token as the gateway's operator gave it
     * @return this
     */
    public Builder token(String token) {
      this.token = token;
      return this;
    }

    /**
     * Sets the terms of the encrypted connection: other roots than the system's, or a client certificate. Default: the system's roots, and no encryption to
     * this machine.
     *
     * @param credentials as {@link TlsChannelCredentials} makes them
     * @return this
     */
    public Builder tls(ChannelCredentials credentials) {
      this.tls = credentials;
      return this;
    }

    /**
     * Prepares the connection and returns at once; the first call connects.
     *
     * @return a client that must be closed
     */
    public Headgate connect() {
      ChannelCredentials credentials = tls;
      if (credentials == null) {
        credentials = local ? InsecureChannelCredentials.create() : TlsChannelCredentials.create();
      }
      if (!token.isEmpty()) {
        credentials = CompositeChannelCredentials.create(credentials, new Bearer(token, local));
      }
      String host = address.getHost().isEmpty() ? "localhost" : address.getHost();
      return new Headgate(NettyChannelBuilder.forAddress(host, address.getPort(), credentials)
          .maxInboundMessageSize(MAX_MESSAGE)
          .keepAliveTime(30, TimeUnit.SECONDS)
          .keepAliveTimeout(10, TimeUnit.SECONDS)
          .flowControlWindow(STREAM_WINDOW)
          .build());
    }
  }
}
