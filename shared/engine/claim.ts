/** Kernel memory for the parts of a table or a shard. */
import { align } from "../format/bytes.ts";
import type { Kernels, Pointer } from "../kernels/kernels.ts";

/**
 * Space for all of these lengths, one after the other as they are named. Made at once: memory that
 * grows step by step may be there twice at each step, and a view made before is none after.
 */
export function claim<Name extends string>(
  kernels: Kernels,
  lengths: Readonly<Record<Name, number>>,
): Readonly<Record<Name, Pointer>> {
  const names = Object.keys(lengths) as Name[];
  const offsets = new Map<Name, number>();
  let end = 0;
  for (const name of names) {
    offsets.set(name, end);
    end += align(lengths[name]);
  }
  const start = kernels.allocate(end);
  return Object.fromEntries(names.map((name) => [name, start + offsets.get(name)!])) as Record<Name, Pointer>;
}

/** Sections that kernels read go to their pointer, all others to an array of their own. */
export function spaceIn(kernels: Kernels, pointers: Readonly<Record<string, Pointer>>) {
  return (name: string, bytes: number): Uint8Array<ArrayBuffer> => {
    const pointer = pointers[name];
    return pointer === undefined ? new Uint8Array(bytes) : kernels.bytes(pointer, bytes);
  };
}
