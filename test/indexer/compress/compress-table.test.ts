import { describe, expect, it } from "vitest";
import { compressTable, inMemory, type TableFacts } from "../../../indexer/compress/compress-table.ts";
import { type DecodedTable, decodeTable } from "../../../indexer/compress/decode-table.ts";
import type { FloatTable } from "../../../indexer/fit/fit-table.ts";
import { Random } from "../../../indexer/random.ts";
import { parseEnvelope } from "../../../shared/format/envelope.ts";
import { NO_ROW, readTable } from "../../../shared/format/table.ts";
import type { Sha256 } from "../../../shared/hash.ts";
import type { RowBits } from "../../../shared/kernels/kernels.ts";

const VOCABULARY = 12;
const DIMENSION = 48;
/** Tokens that no text had. */
const EMPTY = [0, 7];
const DIGEST = "a".repeat(64) as Sha256;

const random = new Random(5);
const table: FloatTable = {
  rows: Float32Array.from({ length: VOCABULARY * DIMENSION }, (_, i) =>
    EMPTY.includes(Math.floor(i / DIMENSION)) ? 0 : random.bits() / 2 ** 31 - 1,
  ),
  phrases: Uint32Array.of(1, 2, 1, 5, 11, 0),
  phraseRows: Float32Array.from({ length: 3 * DIMENSION }, () => random.bits() / 2 ** 32 - 0.5),
  dimension: DIMENSION,
  figures: { residual: 0.25 },
};
const USES = Uint32Array.from([9, 1, 5, 5, 0, 7, 2, 99, 3, 5, 0, 4]);

function factsOf(bits: RowBits): TableFacts {
  return {
    encoder: DIGEST,
    tokenizer: DIGEST,
    task: "search",
    queryPrompt: "query: ",
    bits,
    uses: USES,
    weights: Float64Array.from({ length: VOCABULARY }, (_, id) => id / 8),
  };
}

const allRows = (decoded: DecodedTable) =>
  Array.from({ length: VOCABULARY }, (_, id) => [...decoded.row(id)]).flat();
const read = (bytes: Uint8Array<ArrayBuffer>) => readTable(parseEnvelope(bytes, "table"));

describe("a compressed table", () => {
  it("stores rows most used first, ties by id, and none for tokens without a row", async () => {
    const { file } = await compressTable(inMemory(table), factsOf(3));
    const stored = read(file.bytes);
    const order = [...stored.rank.keys()].filter((id) => stored.rank[id] !== NO_ROW);
    order.sort((a, b) => stored.rank[a]! - stored.rank[b]!);
    expect(order).toEqual([5, 2, 3, 9, 11, 8, 6, 1, 4, 10]);
    for (const id of EMPTY) expect(stored.rank[id]).toBe(NO_ROW);
  });

  it("stores the rows of pairs behind those of tokens, in the order of the pairs", async () => {
    const { file } = await compressTable(inMemory(table), factsOf(8));
    const stored = read(file.bytes);
    expect(stored.meta).toMatchObject({ rows: 13, phrases: 3 });
    expect(stored.phrases).toEqual(table.phrases);
    const decoded = decodeTable(stored);
    [0, 1, 2]
      .flatMap((pair) => [...decoded.pairRow(pair)])
      .forEach((value, i) => {
        expect(Math.abs(value - table.phraseRows[i]!)).toBeLessThan(0.005);
      });
  });

  it("decodes to what it says it decodes to, closer to the rows with every bit", async () => {
    const errors = [];
    for (const bits of [2, 3, 4, 8] as const) {
      const { file, ...compressed } = await compressTable(inMemory(table), factsOf(bits));
      const decoded = allRows(compressed);
      expect(allRows(decodeTable(read(file.bytes), 0))).toEqual(decoded);
      errors.push(decoded.reduce((sum, value, i) => sum + (value - table.rows[i]!) ** 2, 0));
    }
    expect(errors).toEqual([...errors].sort((a, b) => b - a));
    expect(errors[3]!).toBeLessThan(0.01);
  });

  it("says in its header what it is", async () => {
    const { file } = await compressTable(inMemory(table), factsOf(4));
    expect(read(file.bytes).meta).toMatchObject({
      task: "search",
      query_prompt: "query: ",
      source: "fitted",
      dimension: DIMENSION,
      padded: 128,
      vocabulary: VOCABULARY,
      rows: VOCABULARY - EMPTY.length + 3,
      bits: 4,
      fit: { residual: 0.25 },
    });
  });

  it("keeps weights to a thousandth", async () => {
    const { file } = await compressTable(inMemory(table), factsOf(3));
    const { weights, meta } = read(file.bytes);
    weights.forEach((weight, id) => {
      expect(weight / meta.weight_scale).toBeCloseTo(id / 8, 3);
    });
  });

  it("has the same bytes every time", async () => {
    const twice = await Promise.all([
      compressTable(inMemory(table), factsOf(3)),
      compressTable(inMemory(table), factsOf(3)),
    ]);
    expect(twice[0].file.sha256).toBe(twice[1].file.sha256);
  });

  it("may have no row at all", async () => {
    const none = {
      ...table,
      phrases: new Uint32Array(0),
      phraseRows: new Float32Array(0),
      rows: new Float32Array(table.rows.length),
    };
    const { file, ...decoded } = await compressTable(inMemory(none), factsOf(3));
    expect(read(file.bytes).meta.rows).toBe(0);
    expect(allRows(decoded).every((value) => value === 0)).toBe(true);
  });
});
