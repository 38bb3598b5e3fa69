// The greatest value of each row out of values in any order, a row coming more than once: what it costs goes by
// the values, not by the rows there are. A bit a row says whether it has a value, so that no value need be
// cleared between queries.

export function scatterMax(values: usize, rows: usize, count: usize, best: usize, seen: usize): void {
  const end = values + (count << 2);
  for (; values < end; values += 4, rows += 2) {
    const row = <usize>load<u16>(rows);
    const value = load<f32>(values);
    const at = best + (row << 2);
    const word = seen + ((row >> 5) << 2);
    const bit = 1 << (<u32>row & 31);
    const bits = load<u32>(word);
    if ((bits & bit) == 0) {
      store<u32>(word, bits | bit);
      store<f32>(at, value);
    } else if (value > load<f32>(at)) {
      store<f32>(at, value);
    }
  }
}

export function gatherSeen(best: usize, seen: usize, count: u32, rows: usize): u32 {
  let found: u32 = 0;
  for (let first: u32 = 0; first < count; first += 32, seen += 4) {
    let bits = load<u32>(seen);
    if (bits == 0) continue;
    store<u32>(seen, 0);
    for (; bits != 0; bits &= bits - 1, found++) {
      const row = first + ctz(bits);
      store<u16>(rows + (<usize>found << 1), <u16>row);
      store<f32>(best + (<usize>found << 2), load<f32>(best + (<usize>row << 2)));
    }
  }
  return found;
}
