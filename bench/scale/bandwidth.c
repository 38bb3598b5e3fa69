/*
 * Read bandwidth of one core without WebAssembly: reads BYTES over and over with the widest loads that the compiler
 * may use and prints GB/s, the median of the runs. Compiled and run by bandwidth.ts.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef uint64_t lanes __attribute__((vector_size(WIDTH)));

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  size_t bytes = strtoull(argv[1], NULL, 10);
  int runs = argc > 2 ? atoi(argv[2]) : 15;
  unsigned char *data = aligned_alloc(4096, bytes);
  if (data == NULL || runs < 1 || runs > 1000) return 1;
  /* Every page written: pages of zeros that nobody wrote are all one page. */
  memset(data, 1, bytes);
  double rates[1000];
  uint64_t keep = 0;
  for (int run = 0; run < runs; run++) {
    lanes a = {0}, b = {0}, c = {0}, d = {0};
    double started = now();
    const lanes *end = (const lanes *)(data + bytes);
    for (const lanes *at = (const lanes *)data; at + 4 <= end; at += 4) {
      a += at[0];
      b += at[1];
      c += at[2];
      d += at[3];
    }
    rates[run] = bytes / (now() - started) / 1e9;
    lanes sum = a + b + c + d;
    keep += sum[0];
  }
  qsort(rates, runs, sizeof(double), ascending);
  fprintf(stderr, "%llu\n", (unsigned long long)keep);
  printf("%.3f\n", rates[runs / 2]);
  return 0;
}
