import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { externalFiles } from "../../../indexer/model/onnx-files.ts";
import { entry, field, initializer } from "./onnx-bytes.ts";

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
