import { describe, expect, it } from "vitest";
import { history } from "../../../shared/versions/history.ts";
import { keysOf } from "../../../shared/versions/references.ts";
import { keyOf, VersionsWorld } from "../../helpers/versions.ts";

describe("what a version needs", () => {
  it("is every blob that it names, and is not guessed where it says more than is known here", async () => {
    const world = new VersionsWorld();
    await world.publish(["a"]);
    const { value } = await history(world.store, "docs").next();
    if (value?.kind !== "version") throw new Error("no version");
    const texts = ["tokenizer", "table", "shard of a", "a"];
    expect(keysOf(value.manifest)).toEqual(await Promise.all(texts.map(keyOf)));
    const later = { ...value.manifest, attachments: ["blobs/x"] };
    expect(() => keysOf(later)).toThrow(expect.objectContaining({ code: "format/unsupported" }));
  });
});
