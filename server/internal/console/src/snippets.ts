import { type Filter, FIELDS, isEmpty, isNumber, toMessage, toQuery, valuesOf } from "./filter";

/** What code is written for. */
export interface Target {
  filter: Filter;
  /** The REST API's origin. */
  api: string;
  /** The gRPC address, host and port. */
  grpc: string;
  /** Whether the gateway asks for a token. */
  token: boolean;
  start: "earliest" | "latest";
}

export interface Snippet {
  id: string;
  title: string;
  /** What to know before. */
  note: string;
  /** It is one line of a shell, which may be long. */
  shell?: boolean;
  text: (target: Target) => string;
}

/** A word of a shell's command line. What a terminal would take for a key is written as its number, which bash, zsh and ksh read; quotes and backslashes
 * too then, so that another shell takes the word for one all the same. */
function sh(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (!/[\x00-\x1f\x7f-\x9f]/.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`;
  const numbered = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `$'${text.replace(/[\\'\x00-\x1f\x7f-\x9f]/g, numbered)}'`;
}

/** A string literal of Go, Python, TypeScript and Java alike. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Whether the address is this machine's: only there clients speak unencrypted without being told to. */
function isLocal(address: string): boolean {
  const host = address.replace(/^\w+:\/\//, "").replace(/:\d+$/, "");
  return host === "localhost" || host === "[::1]" || /^127\./.test(host);
}

function subscribeUrl({ api, filter, start }: Target): string {
  // Square brackets and braces mean something to curl; the query has them encoded.
  return `${api}/v1/events:subscribe?${new URLSearchParams([["start.at", start], ...toQuery(filter)])}`;
}

/** A token stands in no command: it would be in the shell's history, and in the list of processes. */
const CURL_TOKEN = `-H "Authorization: Bearer $HEADGATE_TOKEN" `;

/** The lines of a filter in a language, one for each field that is set. */
function fields(filter: Filter, line: (key: string, values: string[], number: boolean) => string): string[] {
  return FIELDS.filter(({ key }) => valuesOf(filter, key).length > 0).map((field) => {
    const number = isNumber(field);
    return line(field.key, valuesOf(filter, field.key).map((v) => (number && /^-?\d+$/.test(v) ? v : quoted(v))), number);
  });
}

const pascal = (key: string): string => key.split("_").map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join("");
const camel = (key: string): string => pascal(key).replace(/^./, (c) => c.toLowerCase());

function curl(target: Target): string {
  return `curl -N ${target.token ? CURL_TOKEN : ""}${sh(subscribeUrl(target))}`;
}

function sse(target: Target): string {
  return `curl -N -H 'Accept: text/event-stream' ${target.token ? CURL_TOKEN : ""}${sh(subscribeUrl(target))}`;
}

function grpcurl({ grpc, filter, token, start }: Target): string {
  const request = { ...(isEmpty(filter) ? {} : { filter: toMessage(filter) }), start: { at: `EDGE_${start.toUpperCase()}` } };
  const plaintext = isLocal(grpc) ? "-plaintext " : "";
  const header = token ? '-H "authorization: Bearer $HEADGATE_TOKEN" ' : "";
  return `grpcurl ${plaintext}${header}-d ${sh(JSON.stringify(request))} ${grpc} headgate.v1.EventService/Subscribe`;
}

function tail({ grpc, filter, token, start }: Target): string {
  const flags = FIELDS.flatMap(({ key, flag }) => valuesOf(filter, key).map((value) => `${flag}=${sh(value)}`));
  const command = ["headgate tail", ...(grpc === "127.0.0.1:9090" ? [] : [`--address=${sh(grpc)}`]), `--${start}`, ...flags].join(" ");
  return token ? `# The token is taken from HEADGATE_TOKEN.\n${command}` : command;
}

function go({ grpc, filter, token, start }: Target): string {
  const types = (number: boolean): string => (number ? "int32" : "string");
  const longest = Math.max(...FIELDS.filter(({ key }) => valuesOf(filter, key).length).map(({ key }) => key.length - key.split("_").length + 1), 0);
  const lines = fields(filter, (key, values, number) => `\t\t\t${`${pascal(key)}:`.padEnd(longest + 1)} []${types(number)}{${values.join(", ")}},`);
  return `package main

import (
	"context"
	"log"${token ? '\n\t"os"' : ""}

	"github.com/headgate/headgate/client"${lines.length ? '\n\theadgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"' : ""}
)

func main() {
	c, err := client.Dial(${quoted(grpc)}${token ? ', client.WithToken(os.Getenv("HEADGATE_TOKEN"))' : ""})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	err = c.Consume(context.Background(), client.Subscription{
		// The gateway keeps the position under the name. A new one begins at Start.
		Name:  "my-service",
		Start: client.${pascal(start)}(),${lines.length ? `\n\t\tFilter: &headgatev1.Filter{\n${lines.join("\n")}\n\t\t},` : ""}
	}, func(ctx context.Context, m client.Message) error {
		switch {
		case m.Event != nil:
			log.Print(m.Event.GetEventType(), " ", m.Event.GetContext(), " #", m.Event.GetPrimaryKey())
		case m.Gap != nil:
			log.Print("something may be missing here: ", m.Gap.GetReason())
		}
		return nil // handled: it does not come again
	})
	if err != nil {
		log.Print(err)
	}
}
`;
}

function python({ grpc, filter, token, start }: Target): string {
  const lines = fields(filter, (key, values) => `${key}=[${values.join(", ")}]`);
  return `${token ? "import os\n\n" : ""}from headgate_client import Client, ${lines.length ? "Filter, " : ""}Subscription, ${start}


def handle(message, cancelled):
    if message.event is not None:
        print(message.event.event_type, message.event.context, message.event.primary_key)
    elif message.gap is not None:
        print("something may be missing here:", message.gap)


subscription = Subscription(
    name="my-service",  # the gateway keeps the position under it
    start=${start}(),  # where a new one begins${lines.length ? `\n    filter=Filter(${lines.join(", ")}),` : ""}
)
with Client(${quoted(grpc)}${token ? ', token=os.environ["HEADGATE_TOKEN"]' : ""}) as client:
    client.consume(subscription, handle)
`;
}

function typescript({ grpc, filter, token, start }: Target): string {
  const lines = fields(filter, (key, values) => `${camel(key)}: [${values.join(", ")}]`);
  return `import { connect } from "@headgate/client";

const client = connect(${quoted(grpc)}${token ? ', { token: process.env["HEADGATE_TOKEN"] ?? "" }' : ""});
await client.consume(
  {
    name: "my-service", // the gateway keeps the position under it
    start: ${quoted(start)}, // where a new one begins${lines.length ? `\n    filter: { ${lines.join(", ")} },` : ""}
  },
  async (message) => {
    if (message.kind === "event") console.log(message.event.eventType, message.event.context, message.event.primaryKey);
    if (message.kind === "gap") console.log("something may be missing here:", message.gap);
  },
);
`;
}

function java({ grpc, filter, token, start }: Target): string {
  const lines = fields(filter, (key, values) => `        .addAll${pascal(key)}(List.of(${values.join(", ")}))`);
  const connect = token ? `Headgate.builder(${quoted(grpc)}).token(System.getenv("HEADGATE_TOKEN")).connect()` : `Headgate.connect(${quoted(grpc)})`;
  return `import io.headgate.client.Consumption;
import io.headgate.client.Headgate;
import io.headgate.client.Subscription;
${lines.length ? "import io.headgate.v1.Filter;\nimport java.util.List;\n" : ""}
public final class Reader {
  public static void main(String[] args) throws Exception {
${lines.length ? `    Filter filter = Filter.newBuilder()\n${lines.join("\n")}\n        .build();\n` : ""}    try (Headgate client = ${connect};
        Consumption mine = client.consume(
            Subscription.named("my-service").startAt${pascal(start)}()${lines.length ? ".filter(filter)" : ""}.build(),
            message -> {
              if (message.event() != null) {
                System.out.println(message.event().getEventType() + " " + message.event().getPrimaryKey());
              } else if (message.gap() != null) {
                System.out.println("something may be missing here: " + message.gap().getReason());
              }
            })) {
      Runtime.getRuntime().addShutdownHook(new Thread(mine::close));
      mine.await();
    }
  }
}
`;
}

export const SNIPPETS: readonly Snippet[] = [
  { id: "curl", title: "curl", note: "One JSON object a line.", shell: true, text: curl },
  { id: "sse", title: "curl, Server-Sent Events", note: "What a browser's EventSource reads.", shell: true, text: sse },
  { id: "grpcurl", title: "grpcurl", note: "Reflection is on: no proto files are needed.", shell: true, text: grpcurl },
  { id: "tail", title: "headgate tail", note: "The command that comes with the gateway. It reconnects by itself.", shell: true, text: tail },
  { id: "go", title: "Go", note: "github.com/headgate/headgate/client", text: go },
  { id: "python", title: "Python", note: "headgate_client, Python 3.9 or newer", text: python },
  { id: "typescript", title: "TypeScript", note: "@headgate/client, for Node", text: typescript },
  { id: "java", title: "Java", note: "io.headgate:headgate-client, Java 11 or newer", text: java },
];
