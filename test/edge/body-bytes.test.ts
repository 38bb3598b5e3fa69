import { describe, expect, it } from "vitest";
import { bytesOfBody } from "../../edge/body-bytes.ts";
import { KIB } from "../../shared/limits.ts";

/** Bytes that tell where they stood. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 0xff);
}

interface ByteController {
  readonly byobRequest: {
    readonly view: Uint8Array<ArrayBuffer> | null;
    respond(bytes: number): void;
  } | null;
  close(): void;
}

/** A body of bytes that notes how much it was asked for at once, and gives less than that. */
function byteBody(
  bytes: Uint8Array<ArrayBuffer>,
  asked: number[],
  atOnce = 7000,
): ReadableStream<Uint8Array> {
  let at = 0;
  const source = {
    type: "bytes",
    pull(controller: ByteController) {
      const request = controller.byobRequest;
      if (!request?.view) throw new Error("It was read without a buffer.");
      const view = request.view;
      asked.push(view.byteLength);
      const part = bytes.subarray(at, at + Math.min(atOnce, view.byteLength));
      if (part.length === 0) {
        controller.close();
        request.respond(0);
        return;
      }
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(part);
      at += part.length;
      request.respond(part.length);
    },
  };
  // The types of Node know of no request of a reader with a buffer.
  return new ReadableStream(source as never);
}

/** A body of chunks, which cannot be read into a buffer. */
function chunkBody(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at + 5000));
      at += 5000;
    },
  });
}

describe("bytesOfBody", () => {
  it.each([0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 300_000])(
    "gives all %d bytes of a body",
    async (length) => {
      const bytes = pattern(length);
      expect(await bytesOfBody(byteBody(bytes, []), length)).toEqual(bytes);
      expect(await bytesOfBody(chunkBody(bytes), length)).toEqual(bytes);
    },
  );

  it("never asks for more than 64 KiB at once, which workerd holds beside the buffer", async () => {
    const asked: number[] = [];
    await bytesOfBody(byteBody(pattern(1_000_000), asked, 1_000_000), 1_000_000);
    expect(Math.max(...asked)).toBe(64 * KIB);
    expect(asked.length).toBeGreaterThanOrEqual(16);
  });

  it("gives one buffer that is all the caller's", async () => {
    const found = await bytesOfBody(byteBody(pattern(200_000), []), 200_000);
    expect(found.buffer.byteLength).toBe(200_000);
    expect(found.buffer.transfer(0).byteLength).toBe(0);
  });

  it("gives a body that ends early as it is", async () => {
    expect(await bytesOfBody(byteBody(pattern(1000), []), 1500)).toEqual(pattern(1000));
    expect(await bytesOfBody(chunkBody(pattern(1000)), 1500)).toEqual(pattern(1000));
    expect((await bytesOfBody(null, 1500)).length).toBe(0);
  });

  it("tells by the length that a body goes on", async () => {
    expect((await bytesOfBody(byteBody(pattern(1000), []), 999)).length).toBe(1000);
    expect((await bytesOfBody(chunkBody(pattern(9000)), 6000)).length).toBe(6001);
    expect((await bytesOfBody(byteBody(pattern(10), []), 0)).length).toBe(1);
  });
});
