/**
 * The generic prior of a model: a table fitted once to general queries, shipped with the
 * model, from which every index's own fit starts.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LightedgeError } from "../../shared/errors.ts";
import { parseEnvelope } from "../../shared/format/envelope.ts";
import { readTable } from "../../shared/format/table.ts";
import { decodeTable } from "../compress/decode-table.ts";
import type { Model } from "../model/model.ts";

/**
 * The prior of a model as vocabulary x dimension in the rotated space; zeros where the
 * folder names none. Throws `model/invalid` for one made with another encoder.
 */
export async function loadPrior(model: Model): Promise<Float32Array<ArrayBuffer>> {
  const { dimension } = model;
  const { vocabulary, prior } = model.description;
  if (prior === null) return new Float32Array(vocabulary * dimension);
  const path = join(model.folder, prior);
  const bytes = new Uint8Array(await readFile(path));
  const table = readTable(parseEnvelope(bytes, "table"));
  if (table.meta.encoder !== model.encoderHash || table.meta.dimension !== dimension) {
    throw new LightedgeError(
      "model/invalid",
      `${path} was made for another encoder (${table.meta.encoder.slice(0, 8)}, this one is ${model.encoderHash.slice(0, 8)}). Make it again with "lightedge prior".`,
      { field: "prior", file: path },
    );
  }
  const rows = new Float32Array(vocabulary * dimension);
  const decoded = decodeTable(table, 0);
  for (let id = 0; id < vocabulary; id++) rows.set(decoded.row(id), id * dimension);
  return rows;
}
