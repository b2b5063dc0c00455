package io.headgate.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.headgate.client.Actions;
import io.headgate.client.Entities;
import io.headgate.client.EventTypes;
import io.headgate.client.Reasons;
import java.lang.reflect.Field;

/** The names that the client has constants for. */
final class Constants {
  private Constants() {}

  static JsonObject line() throws IllegalAccessException {
    JsonObject line = Wire.line("constants");
    line.add("entities", values(Entities.class));
    line.add("actions", values(Actions.class));
    line.add("event_types", values(EventTypes.class));
    line.add("reasons", values(Reasons.class));
    return line;
  }

  private static JsonArray values(Class<?> of) throws IllegalAccessException {
    JsonArray values = new JsonArray();
    for (Field constant : of.getFields()) {
      values.add((String) constant.get(null));
    }
    return values;
  }
}
