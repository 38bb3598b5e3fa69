/** The name under which an isolate keeps an index of a region. */

/** The key of an index in a region. */
export function keyOf(region: string, index: string): string {
  return `${region}/${index}`;
}

/** The two parts of a key. Names of indexes hold no slash; that of a region may be anything its operator likes. */
export function partsOf(key: string): { readonly region: string; readonly index: string } {
  const at = key.lastIndexOf("/");
  return { region: key.slice(0, at), index: key.slice(at + 1) };
}
