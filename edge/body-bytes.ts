/** A body of known length into the one buffer that it stays in. */
import { KIB } from "../shared/limits.ts";

/** workerd's reader waits for so many bytes itself, where the standard one gives what there is. */
type MaybeAtLeast = {
  readonly readAtLeast?: (
    least: number,
    view: Uint8Array<ArrayBuffer>,
  ) => Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>>;
};

/** Bytes that are asked of a body at once: workerd takes as much again beside the buffer that it reads into. */
const STEP_BYTES = 64 * KIB;

/**
 * A body of so many bytes. `arrayBuffer()` gathers what arrives, joins it and copies it over: three times the body for a
 * moment, which an allocator keeps for good. This takes the body once, and a step. A shorter body is given as it is, of a longer
 * one a byte too many, so that its length tells.
 */
export async function bytesOfBody(
  body: ReadableStream<Uint8Array> | null,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  if (body === null) return bytes.subarray(0, 0);
  for await (const part of stepsOf(body, length)) {
    // Nothing is read of what is too long.
    if (filled + part.length > length) return new Uint8Array(length + 1);
    bytes.set(part, filled);
    filled += part.length;
  }
  return filled === length ? bytes : bytes.slice(0, filled);
}

/** What a body says, in parts that are valid until the next is asked for. */
async function* stepsOf(
  body: ReadableStream<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = byteReader(body);
  if (reader === null) return yield* body;
  const most = Math.min(STEP_BYTES, length);
  let step = new ArrayBuffer(Math.max(1, most));
  let left = length;
  try {
    for (;;) {
      // At the end one byte is asked for, which should not come.
      const view = new Uint8Array(step, 0, Math.max(1, Math.min(most, left)));
      const { value, done } = await (reader.readAtLeast?.(view.length, view) ?? reader.read(view));
      if (value !== undefined && value.length > 0) {
        left -= value.length;
        yield value;
      }
      if (done) return;
      step = value.buffer;
    }
  } finally {
    await reader.cancel();
  }
}

/** Null where a body is not made of bytes, as those are that come over a bridge to Node. */
function byteReader(body: ReadableStream<Uint8Array>): (ReadableStreamBYOBReader & MaybeAtLeast) | null {
  try {
    return body.getReader({ mode: "byob" });
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
