/** One posting; the rows of a list may repeat, so additions stay in order and scalar. */
// @ts-ignore: decorator
@inline
function add(scores: usize, row: u32, product: i32): void {
  const at = scores + (<usize>row << 2);
  store<i32>(at, load<i32>(at) + product);
}

/** Eight postings at a time: their rows are one load, their products two vectors. */
export function addPostings(rows: usize, impacts: usize, count: usize, weight: i32, scores: usize): void {
  const factor = i32x4.splat(weight);
  let i: usize = 0;
  for (; i + 8 <= count; i += 8) {
    const row = v128.load(rows + (i << 1));
    const impact = i16x8.extend_low_i8x16_u(v128.load64_zero(impacts + i));
    const low = i32x4.mul(i32x4.extend_low_i16x8_u(impact), factor);
    const high = i32x4.mul(i32x4.extend_high_i16x8_u(impact), factor);
    add(scores, i16x8.extract_lane_u(row, 0), i32x4.extract_lane(low, 0));
    add(scores, i16x8.extract_lane_u(row, 1), i32x4.extract_lane(low, 1));
    add(scores, i16x8.extract_lane_u(row, 2), i32x4.extract_lane(low, 2));
    add(scores, i16x8.extract_lane_u(row, 3), i32x4.extract_lane(low, 3));
    add(scores, i16x8.extract_lane_u(row, 4), i32x4.extract_lane(high, 0));
    add(scores, i16x8.extract_lane_u(row, 5), i32x4.extract_lane(high, 1));
    add(scores, i16x8.extract_lane_u(row, 6), i32x4.extract_lane(high, 2));
    add(scores, i16x8.extract_lane_u(row, 7), i32x4.extract_lane(high, 3));
  }
  for (; i < count; i++) {
    add(scores, load<u16>(rows + (i << 1)), <i32>load<u8>(impacts + i) * weight);
  }
}
