package io.headgate.conformance;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.headgate.client.Message;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Standard input and output: one JSON object a line. Lines may be written by many threads. */
final class Wire {
  /** The kit has the handling fail. */
  static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;

    Refused(String message) {
      super(message);
    }
  }

  private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
  private final Map<String, Deque<CompletableFuture<Boolean>>> waiting = new HashMap<>(); // handlings by cursor, the longest first; guarded by itself
  private volatile boolean ended;

  String readLine() throws IOException {
    return in.readLine();
  }

  synchronized void write(JsonObject line) {
    System.out.println(line);
    System.out.flush();
  }

  /** Whether standard input has. */
  boolean ended() {
    return ended;
  }

  /** Takes answers in a thread of its own. When there are no more, handlings that wait fail, and it leaves. */
  void answers(Runnable leave) {
    Thread thread = new Thread(() -> {
      try {
        for (String line = readLine(); line != null; line = readLine()) {
          JsonObject answer = JsonParser.parseString(line).getAsJsonObject();
          boolean ok = answer.has("ok");
          answer(answer.get(ok ? "ok" : "fail").getAsString(), ok);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        end();
        leave.run();
      }
    });
    thread.setDaemon(true);
    thread.start();
  }

  private void answer(String cursor, boolean ok) {
    synchronized (waiting) {
      Deque<CompletableFuture<Boolean>> handlings = waiting.getOrDefault(cursor, new ArrayDeque<>());
      if (!handlings.isEmpty()) {
        handlings.remove().complete(ok);
      }
    }
  }

  private void end() {
    synchronized (waiting) {
      ended = true;
      waiting.values().forEach(handlings -> handlings.forEach(one -> one.complete(false)));
    }
  }

  /** Writes the line and waits for the answer to it. */
  void ask(JsonObject line, String cursor) {
    CompletableFuture<Boolean> answer = new CompletableFuture<>();
    synchronized (waiting) {
      if (ended) {
        throw new Refused("standard input has ended");
      }
      waiting.computeIfAbsent(cursor, c -> new ArrayDeque<>()).add(answer);
    }
    try {
      write(line);
      if (!answer.get()) {
        throw new Refused("the kit has it fail");
      }
    } catch (InterruptedException e) {
      throw new Refused("the shard was lost, or the end was wished");
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    } finally {
      synchronized (waiting) {
        waiting.get(cursor).remove(answer);
      }
    }
  }

  static JsonObject line(String kind) {
    JsonObject line = new JsonObject();
    line.addProperty("kind", kind);
    return line;
  }

  static JsonObject line(Message message) {
    JsonObject line = line(message.kind().name().toLowerCase());
    line.addProperty("cursor", message.cursor());
    message.shard().ifPresent(shard -> line.addProperty("shard", shard));
    if (message.event() != null) {
      line.addProperty("key", message.event().getPrimaryKey());
      line.addProperty("type", message.event().getEventType());
    } else if (message.gap() != null) {
      line.addProperty("reason", message.gap().getReason().name());
    } else if (message.checkpoint() != null) {
      line.addProperty("caught_up", message.checkpoint().getCaughtUp());
    }
    return line;
  }

  static JsonObject error(String reason, String code) {
    JsonObject line = line("error");
    line.addProperty("reason", reason);
    line.addProperty("code", code);
    return line;
  }

  static JsonObject retry(Exception cause) {
    JsonObject line = line("retry");
    line.addProperty("cause", String.valueOf(cause.getMessage()));
    return line;
  }

  static JsonObject failure(Message message) {
    JsonObject line = line("failure");
    message.shard().ifPresent(shard -> line.addProperty("shard", shard));
    return line;
  }
}
