// Table rows: unpack 16 codes, look their values up with one swizzle, widen, scale, add.
// Every step past the swizzle is lane-wise, so the result does not depend on the order of work.

/** Adds scale x value to 16 consecutive sums; product and sum are rounded apart, as WebAssembly has no fused form. */
// @ts-ignore: decorator
@inline
function add16(sum: usize, values: v128, scale: v128): void {
  const low = i16x8.extend_low_i8x16_s(values);
  const high = i16x8.extend_high_i8x16_s(values);
  add4(sum, i32x4.extend_low_i16x8_s(low), scale);
  add4(sum + 16, i32x4.extend_high_i16x8_s(low), scale);
  add4(sum + 32, i32x4.extend_low_i16x8_s(high), scale);
  add4(sum + 48, i32x4.extend_high_i16x8_s(high), scale);
}

// @ts-ignore: decorator
@inline
function add4(sum: usize, values: v128, scale: v128): void {
  const product = f32x4.mul(f32x4.convert_i32x4_s(values), scale);
  v128.store(sum, f32x4.add(v128.load(sum), product));
}

/** Two bits of every byte from `shift` up. Shifts of 16-bit lanes serve, as x86 has none for bytes and the mask drops what crosses. */
// @ts-ignore: decorator
@inline
function pair(vector: v128, shift: i32): v128 {
  return v128.and(i16x8.shr_u(vector, shift), i8x16.splat(3));
}

/** Bit k of every byte, moved to bit 2. */
// @ts-ignore: decorator
@inline
function third(vector: v128, k: i32): v128 {
  const moved = k < 2 ? i16x8.shl(vector, 2 - k) : i16x8.shr_u(vector, k - 2);
  return v128.and(moved, i8x16.splat(4));
}

function rows8(sum: usize, row: usize, dimension: usize, scale: v128): void {
  for (let j: usize = 0; j < dimension; j += 16) add16(sum + (j << 2), v128.load(row + j), scale);
}

function rows4(sum: usize, row: usize, dimension: usize, codebook: v128, scale: v128): void {
  const mask = i8x16.splat(15);
  const end = row + (dimension >> 1);
  for (; row < end; row += 16, sum += 128) {
    const codes = v128.load(row);
    add16(sum, i8x16.swizzle(codebook, v128.and(codes, mask)), scale);
    add16(sum + 64, i8x16.swizzle(codebook, v128.and(i16x8.shr_u(codes, 4), mask)), scale);
  }
}

function rows2(sum: usize, row: usize, dimension: usize, codebook: v128, scale: v128): void {
  const end = row + (dimension >> 2);
  for (; row < end; row += 16, sum += 256) {
    const codes = v128.load(row);
    add16(sum, i8x16.swizzle(codebook, pair(codes, 0)), scale);
    add16(sum + 64, i8x16.swizzle(codebook, pair(codes, 2)), scale);
    add16(sum + 128, i8x16.swizzle(codebook, pair(codes, 4)), scale);
    add16(sum + 192, i8x16.swizzle(codebook, pair(codes, 6)), scale);
  }
}

function rows1(sum: usize, row: usize, dimension: usize, codebook: v128, scale: v128): void {
  const mask = i8x16.splat(1);
  const end = row + (dimension >> 3);
  for (; row < end; row += 16, sum += 512) {
    const codes = v128.load(row);
    add16(sum, i8x16.swizzle(codebook, v128.and(codes, mask)), scale);
    add16(sum + 64, i8x16.swizzle(codebook, v128.and(i16x8.shr_u(codes, 1), mask)), scale);
    add16(sum + 128, i8x16.swizzle(codebook, v128.and(i16x8.shr_u(codes, 2), mask)), scale);
    add16(sum + 192, i8x16.swizzle(codebook, v128.and(i16x8.shr_u(codes, 3), mask)), scale);
    add16(sum + 256, i8x16.swizzle(codebook, v128.and(i16x8.shr_u(codes, 4), mask)), scale);
    add16(sum + 320, i8x16.swizzle(codebook, v128.and(i16x8.shr_u(codes, 5), mask)), scale);
    add16(sum + 384, i8x16.swizzle(codebook, v128.and(i16x8.shr_u(codes, 6), mask)), scale);
    add16(sum + 448, i8x16.swizzle(codebook, v128.and(i16x8.shr_u(codes, 7), mask)), scale);
  }
}

function rows3(sum: usize, row: usize, dimension: usize, codebook: v128, scale: v128): void {
  const end = row + (dimension >> 3) * 3;
  for (; row < end; row += 48, sum += 512) {
    const a = v128.load(row);
    const b = v128.load(row, 16);
    const c = v128.load(row, 32);
    add16(sum, i8x16.swizzle(codebook, v128.or(pair(a, 0), third(c, 0))), scale);
    add16(sum + 64, i8x16.swizzle(codebook, v128.or(pair(a, 2), third(c, 1))), scale);
    add16(sum + 128, i8x16.swizzle(codebook, v128.or(pair(a, 4), third(c, 2))), scale);
    add16(sum + 192, i8x16.swizzle(codebook, v128.or(pair(a, 6), third(c, 3))), scale);
    add16(sum + 256, i8x16.swizzle(codebook, v128.or(pair(b, 0), third(c, 4))), scale);
    add16(sum + 320, i8x16.swizzle(codebook, v128.or(pair(b, 2), third(c, 5))), scale);
    add16(sum + 384, i8x16.swizzle(codebook, v128.or(pair(b, 4), third(c, 6))), scale);
    add16(sum + 448, i8x16.swizzle(codebook, v128.or(pair(b, 6), third(c, 7))), scale);
  }
}

/** Adds `scale` times a packed row's values to the sums: the kernel behind `accumulate` for every width. */
export function accumulateRow(
  sum: usize,
  row: usize,
  bits: i32,
  dimension: usize,
  codebook: usize,
  scale: f32,
): void {
  const factor = f32x4.splat(scale);
  if (bits == 8) rows8(sum, row, dimension, factor);
  else if (bits == 4) rows4(sum, row, dimension, v128.load(codebook), factor);
  else if (bits == 3) rows3(sum, row, dimension, v128.load(codebook), factor);
  else if (bits == 2) rows2(sum, row, dimension, v128.load(codebook), factor);
  else rows1(sum, row, dimension, v128.load(codebook), factor);
}
