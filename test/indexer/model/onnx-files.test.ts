import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { externalFiles } from "../../../indexer/model/onnx-files.ts";

/** A field of a protocol buffer that holds bytes: tag, length, bytes. */
function field(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

const entry = (location: string) => field(13, Buffer.concat([field(1, "location"), field(2, location)]));
const initializer = (location: string) => field(7, field(5, entry(location)));
/** A tensor in an attribute of a node of a graph that is itself an attribute. */
const nested = (location: string) =>
  field(7, field(1, field(5, field(6, field(1, field(5, field(5, entry(location))))))));
const sparse = (location: string) => field(7, field(15, field(1, entry(location))));

function write(bytes: Buffer): string {
  const path = join(mkdtempSync(join(tmpdir(), "lightedge-onnx-")), "model.onnx");
  writeFileSync(path, bytes);
  return path;
}

describe("external data of a graph", () => {
  it.each([initializer, nested, sparse])("is found wherever its tensor stands", async (place) => {
    expect(await externalFiles(write(place("weights.bin")))).toEqual(["weights.bin"]);
  });

  it.each(["../x", "/etc/passwd", "a/b", "..", "", "a\\b", "c:x"])(
    "is refused by the name %j",
    async (name) => {
      for (const place of [initializer, nested, sparse]) {
        await expect(externalFiles(write(place(name)))).rejects.toMatchObject({ code: "model/unsafe-file" });
      }
    },
  );

  it("is refused as no graph where lengths or numbers do not end", async () => {
    for (const bytes of [Buffer.from([0x3a, 0x7f, 1]), Buffer.from([0x3a, 0xff]), Buffer.alloc(12, 0xff)]) {
      await expect(externalFiles(write(bytes))).rejects.toMatchObject({ code: "model/invalid" });
    }
  });
});
