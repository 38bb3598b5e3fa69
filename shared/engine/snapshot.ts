/**
 * A loaded shard as bytes, and back: its kernel memory as it is, and all else by its own names. Waking from it takes a
 * copy, where laying a shard out from its file takes a pass over every posting.
 */
import { LightedgeError } from "../errors.ts";
import { bytesOf } from "../format/bytes.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { SCRATCH_BYTES } from "../kernels/memory.ts";
import type { HotShard } from "./resident.ts";

/**
 * How a loaded shard lies in memory. To be raised with any change of that, or new code would wake old memory and
 * misread it: `test/shared/engine/snapshot.test.ts` tells when.
 */
export const HOT_LAYOUT = 2;

/** A loaded shard as bytes. */
export interface Snapshot {
  /** JSON of all that is neither kernel memory nor an array; arrays are named in it by their place in `arrays`. */
  readonly text: string;
  /** Views of the shard's own arrays. */
  readonly arrays: readonly Uint8Array<ArrayBuffer>[];
  /** A view of the kernel memory without the kernels' scratch, valid as views of it are. */
  readonly memory: Uint8Array<ArrayBuffer>;
}

type Typed =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>;
const TYPES = { Uint8Array, Uint16Array, Uint32Array, Float32Array } as const;
type TypeName = keyof typeof TYPES;

/** Takes a shard down. Its arrays and its memory are not copied. */
export function takeSnapshot({ kernels, ...shard }: HotShard): Snapshot {
  const arrays: Uint8Array<ArrayBuffer>[] = [];
  const text = JSON.stringify(shard, (_, value: unknown) => {
    if (!isTyped(value)) return value;
    arrays.push(value instanceof Uint8Array ? value : bytesOf(value));
    return { array: arrays.length - 1, type: value.constructor.name };
  });
  // Where the next allocation would begin; memory behind it is nobody's.
  const end = kernels.allocate(0);
  return { text, arrays, memory: kernels.bytes(SCRATCH_BYTES, end - SCRATCH_BYTES) };
}

/**
 * A shard from what `takeSnapshot` gave, in kernels that nothing was allocated of. `arrays` become the shard's own;
 * `memory` fills a view of the kernels' memory. Throws `index/too-large` as the kernels do.
 */
export async function restoreSnapshot(
  text: string,
  arrays: readonly Uint8Array<ArrayBuffer>[],
  memoryBytes: number,
  kernels: Kernels,
  memory: (space: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<HotShard> {
  const start = kernels.allocate(memoryBytes);
  if (start !== SCRATCH_BYTES) throw new LightedgeError("internal", "These kernels are in use already.");
  await memory(kernels.bytes(start, memoryBytes));
  const shard = JSON.parse(text, (_, value: unknown) => {
    if (!isReference(value)) return value;
    const bytes = arrays[value.array]!;
    return new TYPES[value.type](
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength / TYPES[value.type].BYTES_PER_ELEMENT,
    );
  });
  // Safe: the text is that of a shard of this layout, and its digest was checked by whoever read it.
  return { ...(shard as Omit<HotShard, "kernels">), kernels };
}

function isTyped(value: unknown): value is Typed {
  return Object.values(TYPES).some((type) => value instanceof type);
}

function isReference(value: unknown): value is { readonly array: number; readonly type: TypeName } {
  return typeof value === "object" && value !== null && "array" in value && "type" in value;
}
