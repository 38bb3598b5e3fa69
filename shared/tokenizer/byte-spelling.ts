/** How byte-level vocabularies spell bytes: one printable character each. */

/**
 * The spelling of each byte: the character of its number where that prints, the others from
 * U+0100 on. https://github.com/openai/gpt-2/blob/master/src/encoder.py, bytes_to_unicode
 */
export const BYTE_SPELLINGS: readonly string[] = byteSpellings();

function byteSpellings(): readonly string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const prints = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(prints ? byte : next++);
  });
}

/** The greatest character above is U+0143. */
const BYTE_OF = new Int16Array(0x144).fill(-1);
BYTE_SPELLINGS.forEach((char, byte) => {
  BYTE_OF[char.charCodeAt(0)] = byte;
});

/** The bytes that a token's spelling stands for, or null where it has a character that stands for none. */
export function spelledBytes(spelling: string): Uint8Array<ArrayBuffer> | null {
  const bytes = new Uint8Array(spelling.length);
  for (let at = 0; at < spelling.length; at++) {
    const byte = BYTE_OF[spelling.charCodeAt(at)] ?? -1;
    if (byte < 0) return null;
    bytes[at] = byte;
  }
  return bytes;
}
