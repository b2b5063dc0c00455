/** The largest block taken. An event has at most 3 MiB before it is JSON. */
const MAX_BLOCK = 32 << 20;

/** One block of an event stream. What is absent is empty; comment is the last one's text. */
export interface Block {
  event: string;
  id: string;
  data: string;
  retryMs: number | undefined;
  comment: string;
}

/**
 * Splits an event stream into its blocks, as the HTML standard says, but keeps those without data too. What stands at the end without an empty line is dropped. It
 * reads on only when the next block is asked for.
 */
export async function* blocksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Block, void, void> {
  const reader = body.getReader();
  const lines = new Lines();
  try {
    let block = emptyBlock();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const line of lines.add(value)) {
        if (line) {
          addLine(block, line);
        } else {
          yield block;
          block = emptyBlock();
        }
      }
      if (lines.rest + block.data.length > MAX_BLOCK) throw new Error(`a block of the event stream is larger than ${MAX_BLOCK} bytes`);
    }
  } finally {
    reader.cancel().catch(() => {}); // the rest is wanted by nobody
  }
}

function emptyBlock(): Block {
  return { event: "", id: "", data: "", retryMs: undefined, comment: "" };
}

function addLine(block: Block, line: string): void {
  const colon = line.indexOf(":");
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
  if (name === "event") block.event = value;
  else if (name === "id" && !value.includes("\0")) block.id = value;
  else if (name === "data") block.data += block.data ? `\n${value}` : value;
  else if (name === "retry" && /^\d+$/.test(value)) block.retryMs = Number(value);
  else if (name === "") block.comment = value;
}

/** Makes lines of chunks. */
class Lines {
  readonly #decoder = new TextDecoder(); // takes a byte order mark away
  #rest = "";

  /** How many characters have no end of line yet. */
  get rest(): number {
    return this.#rest.length;
  }

  /** Returns the lines that are whole now. A line ends with LF, CR or both. */
  add(chunk: Uint8Array): string[] {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true });
    const end = text.endsWith("\r") ? text.length - 1 : text.length; // an LF may follow
    const lines = text.slice(0, end).split(/\r\n|\r|\n/);
    this.#rest = (lines.pop() ?? "") + text.slice(end);
    return lines;
  }
}
