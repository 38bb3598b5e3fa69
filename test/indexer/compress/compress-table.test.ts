import { describe, expect, it } from "vitest";
import { compressTable, inMemory, type TableFacts } from "../../../indexer/compress/compress-table.ts";
import { type DecodedTable, decodeTable } from "../../../indexer/compress/decode-table.ts";
import type { FloatTable } from "../../../indexer/fit/fit-table.ts";
import { Random } from "../../../indexer/random.ts";
import { parseEnvelope } from "../../../shared/format/envelope.ts";
import { NO_ROW, readTable } from "../../../shared/format/table.ts";
import type { Sha256 } from "../../../shared/hash.ts";
import type { RowBits } from "../../../shared/kernels/kernels.ts";
import { LARGE, LARGE_DIMENSION, LARGE_PAIRS, largeTable } from "../../helpers/large-table.ts";

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

describe("a table that would be too large", () => {
  it("fits, gives more bits to rows that are used more, and decodes as finely as its bits allow", async () => {
    const { store, entry, rows } = await largeTable(900_000);
    expect(entry.bytes).toBeLessThanOrEqual(900_000);
    const stored = read((await store.get(entry.key))!.body);
    const tiers = stored.meta.tiers!;
    const tokens = tiers.slice(0, -1);
    expect(tokens.map(({ bits }) => bits)).toEqual([...tokens.map(({ bits }) => bits)].sort((a, b) => b - a));
    expect(tokens.length).toBeGreaterThan(1);
    expect(tiers.at(-1)).toMatchObject({ rows: LARGE_PAIRS.length / 2, bits: 3 });
    const decoded = decodeTable(stored);
    let row = 0;
    const errors = tokens.map((tier) => {
      let error = 0;
      let length = 0;
      for (const end = row + tier.rows; row < end; row++) {
        const id = LARGE - 1 - row;
        const wanted = rows.subarray(id * LARGE_DIMENSION, (id + 1) * LARGE_DIMENSION);
        decoded.row(id).forEach((value, j) => {
          error += (value - wanted[j]!) ** 2;
          length += wanted[j]! ** 2;
        });
      }
      return error / length;
    });
    // Even values lose less than normal ones: Max 1960 has 0.363, 0.118, 0.0345 and 0.0095 for one to four bits.
    const most = { 1: 0.363, 2: 0.13, 3: 0.06, 4: 0.03, 8: 0 };
    tokens.forEach(({ bits }, at) => {
      expect(errors[at]!).toBeLessThan(most[bits]);
    });
    expect(errors).toEqual([...errors].sort((a, b) => a - b));
  });

  it("has all its bits where they fit, and is refused where one bit does not", async () => {
    const { store, entry } = await largeTable();
    expect(read((await store.get(entry.key))!.body).meta).not.toHaveProperty("tiers");
    await expect(largeTable(500_000)).rejects.toMatchObject({
      code: "usage/invalid",
      details: { field: "table-bytes", value: "500000" },
    });
  });
});
