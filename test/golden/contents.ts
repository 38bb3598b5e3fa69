/** What the golden files hold, as JSON: typed arrays as lists of numbers, bytes in hexadecimal. */

import { readClusters } from "../../shared/format/clusters.ts";
import { openDocuments } from "../../shared/format/documents.ts";
import { type Envelope, type HeadDigest, openEnvelope } from "../../shared/format/envelope.ts";
import type { FileKind } from "../../shared/format/head.ts";
import { idAt } from "../../shared/format/ids.ts";
import { lexiconEntries, readLexicon } from "../../shared/format/lexicon.ts";
import { readOverlay, unpackOverlay } from "../../shared/format/overlay.ts";
import { wholeSource } from "../../shared/format/ranged.ts";
import { readShard } from "../../shared/format/shard.ts";
import { layoutOf, tierOf } from "../../shared/format/row-layout.ts";
import { readTable, rowRange } from "../../shared/format/table.ts";
import { readTokenizerFile } from "../../shared/format/tokenizer-file.ts";
import { deadByShard, readTombstones } from "../../shared/format/tombstones.ts";
import { type Sha256, toHex } from "../../shared/hash.ts";
import { unpackRow } from "../../shared/kernels/packing.ts";

/** What stands beside a golden file. */
export interface Expectation {
  readonly kind: FileKind;
  readonly sha256: Sha256;
  readonly head: HeadDigest;
  readonly content: unknown;
}

/** Everything in a file, through the same readers that the product uses. */
export async function contentOf(
  bytes: Uint8Array<ArrayBuffer>,
  { kind, sha256, head }: Omit<Expectation, "content">,
): Promise<unknown> {
  const envelope = await openEnvelope(bytes, { kind, sha256, head });
  return JSON.parse(JSON.stringify(await decoded(envelope), plain));
}

async function decoded(envelope: Envelope): Promise<unknown> {
  switch (envelope.kind) {
    case "tokenizer":
      return readTokenizerFile(envelope);
    case "table": {
      const { meta, rank, phrases, scales, rows, weights } = readTable(envelope);
      const codes = Array.from({ length: meta.rows }, (_, row) => {
        const { start, end } = rowRange(meta, row);
        const { bits } = tierOf(layoutOf(meta), row);
        return unpackRow(rows.subarray(start, end), bits, meta.padded);
      });
      const pairs = phrases.length > 0 ? { phrases } : {};
      // Pages are mostly zeros.
      const packed = meta.tiers === undefined ? { rows } : {};
      return { meta, rank, ...pairs, scales, ...packed, weights, codes };
    }
    case "lexicon": {
      const lexicon = readLexicon(envelope);
      return { ...lexicon, entries: [...lexiconEntries(lexicon)] };
    }
    case "shard": {
      const shard = readShard(envelope);
      return {
        ...shard,
        documents: Array.from({ length: shard.meta.documents }, (_, at) => idAt(shard, at)),
      };
    }
    case "documents": {
      const documents = await openDocuments(wholeSource(envelope));
      const blocks = await documents.blocks([...documents.directory.sizes.keys()]);
      const records = blocks.map((block) =>
        Array.from({ length: block.records }, (_, at) => block.record(at)),
      );
      const digests = await documents.digests();
      const more = digests === null ? {} : { digests };
      return { meta: documents.meta, directory: documents.directory, records, ...more };
    }
    case "clusters":
      return readClusters(envelope);
    case "tombstones": {
      const file = readTombstones(envelope);
      return { ...file, dead: deadByShard(file, file.meta.shards).map((rows) => [...rows]) };
    }
    case "overlay":
      return unpackOverlay(readOverlay(envelope));
  }
}

function plain(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  return ArrayBuffer.isView(value) ? Array.from(value as Int8Array) : value;
}
