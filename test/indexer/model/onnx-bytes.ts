/** ONNX files of a few bytes: the fields of a protocol buffer, written by hand. */

/** A field that holds bytes: tag, length, bytes. */
export function field(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

/** The entry of a tensor that says in which file its numbers are. */
export function entry(location: string): Buffer {
  return field(13, Buffer.concat([field(1, "location"), field(2, location)]));
}

/** A model whose one initializer is in another file. */
export function initializer(location: string): Buffer {
  return field(7, field(5, entry(location)));
}
