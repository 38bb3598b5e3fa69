/** Models that lie beside the project and not in it: tests that need one are skipped where it is not. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A two-layer decoder with random weights and a byte-level BPE tokenizer of 49,152 tokens. */
export const TINY_DECODER = fileURLToPath(new URL("../../../shared/models/tiny-decoder", import.meta.url));
/** Whether it is here. */
export const HAS_TINY_DECODER = existsSync(TINY_DECODER);
/** What the name of a test that is skipped without it says. */
export const NEEDS_TINY_DECODER = HAS_TINY_DECODER
  ? ""
  : " (skipped: ../shared/models/tiny-decoder is not here)";
