package io.headgate.conformance;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.headgate.client.Consumption;
import io.headgate.client.FileCursorStore;
import io.headgate.client.Headgate;
import io.headgate.client.HeadgateException;
import io.headgate.client.Message;
import io.headgate.client.Messages;
import io.headgate.client.Subscription;
import io.headgate.v1.Filter;
import io.headgate.v1.OnLostCursor;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/** Does with the client what the conformance kit asks for, and tells what the client delivers. */
public final class Adapter {
  private final Headgate client;
  private final Wire wire;
  private final JsonObject request;

  private Adapter(Headgate client, Wire wire, JsonObject request) {
    this.client = client;
    this.wire = wire;
    this.request = request;
  }

  /**
   * Runs one request of standard input.
   *
   * @param args none
   */
  public static void main(String[] args) throws Exception {
    Wire wire = new Wire();
    JsonObject request = JsonParser.parseString(wire.readLine()).getAsJsonObject();
    if (request.has("constants")) {
      wire.write(Constants.line());
      return;
    }
    Headgate.Builder builder = Headgate.builder(text(request, "address")).token(text(request, "token"));
    try (Headgate client = builder.connect()) {
      new Adapter(client, wire, request).run();
    }
  }

  private void run() throws Exception {
    try {
      Subscription subscription = subscription();
      if (request.has("subscription")) {
        consume(subscription);
      } else {
        loop(subscription);
      }
    } catch (HeadgateException e) {
      wire.write(Wire.error(e.reason(), e.code().name()));
    } catch (IllegalArgumentException | UncheckedIOException e) {
      wire.write(Wire.error("", "")); // the client's own
    }
  }

  private void consume(Subscription subscription) throws InterruptedException {
    try (Consumption consumption = client.consume(subscription, this::handle)) {
      wire.answers(consumption::close);
      consumption.await();
    }
    if (!wire.ended()) {
      wire.write(Wire.line("end"));
    }
  }

  private void loop(Subscription subscription) {
    try (Messages messages = client.subscribe(subscription)) {
      wire.answers(messages::stop);
      for (Message message : messages) {
        handle(message);
      }
    } catch (Wire.Refused e) {
      return; // the loop was left with the message in hand
    }
    if (!wire.ended()) {
      wire.write(Wire.line("end"));
    }
  }

  private void handle(Message message) {
    boolean answered = message.event() != null || message.gap() != null || message.erased() != null;
    if (answered && request.has("acknowledge")) {
      wire.ask(Wire.line(message), message.cursor());
    } else {
      wire.write(Wire.line(message));
    }
  }

  private Subscription subscription() throws InvalidProtocolBufferException {
    Subscription.Builder s = request.has("subscription") ? named(request.getAsJsonObject("subscription")) : Subscription.builder();
    if (request.has("filter")) {
      Filter.Builder filter = Filter.newBuilder();
      JsonFormat.parser().merge(request.get("filter").toString(), filter);
      s.filter(filter.build());
    }
    if (request.has("start")) {
      start(s, request.getAsJsonObject("start"));
    }
    if (request.has("on_lost_cursor")) {
      s.onLostCursor(OnLostCursor.valueOf("ON_LOST_CURSOR_" + text(request, "on_lost_cursor").toUpperCase()));
    }
    if (request.has("heartbeat_seconds")) {
      s.heartbeat(Duration.ofMillis(Math.round(request.get("heartbeat_seconds").getAsDouble() * 1000)));
    }
    if (request.has("store")) {
      s.store(new FileCursorStore(Path.of(text(request, "store"))));
    }
    if (request.has("stop_when_caught_up") && request.get("stop_when_caught_up").getAsBoolean()) {
      s.stopWhenCaughtUp();
    }
    return s.onRetry((cause, wait) -> wire.write(Wire.retry(cause))).onFailure((message, failure, wait) -> wire.write(Wire.failure(message))).build();
  }

  private static Subscription.Builder named(JsonObject named) {
    Subscription.Builder s = Subscription.named(text(named, "name"));
    if (named.has("shards")) {
      s.shards(named.get("shards").getAsInt());
    }
    return s.member(text(named, "member"));
  }

  private static void start(Subscription.Builder s, JsonObject start) {
    if (start.has("after_cursor")) {
      s.startAfter(text(start, "after_cursor"));
    } else if (start.has("from_time")) {
      s.startFrom(Instant.parse(text(start, "from_time")));
    } else if (text(start, "at").equals("latest")) {
      s.startAtLatest();
    } else {
      s.startAtEarliest();
    }
  }

  private static String text(JsonObject from, String name) {
    return from.has(name) ? from.get(name).getAsString() : "";
  }
}
