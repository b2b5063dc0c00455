package io.headgate.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** How long things last. */
final class Times {
  /** The pause before the nth new try is a random part of FIRST_PAUSE · 2^n, at most LONGEST_PAUSE. */
  static final Duration FIRST_PAUSE = Duration.ofMillis(200);

  static final Duration LONGEST_PAUSE = Duration.ofSeconds(20);

  private Times() {}

  /** The random wait after so many failures in a row. */
  static Duration pause(int failures) {
    long longest = LONGEST_PAUSE.toNanos();
    if (failures < 20) {
      longest = Math.min(longest, FIRST_PAUSE.toNanos() << failures);
    }
    return Duration.ofNanos(ThreadLocalRandom.current().nextLong(longest));
  }

  /** Reads a wait of the gateway's; one that is negative is none. */
  static Duration duration(com.google.protobuf.Duration d) {
    Duration read = Duration.ofSeconds(d.getSeconds(), d.getNanos());
    return read.isNegative() ? Duration.ZERO : read;
  }

  static Duration longer(Duration a, Duration b) {
    return a.compareTo(b) > 0 ? a : b;
  }
}
