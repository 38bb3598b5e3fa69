/** Says which words were searched for in place of misspelt ones, and offers those that were typed. */
import type { Correction } from "../../shared/types.ts";
import { element } from "./dom.ts";

/** The line above the results of a corrected query, and the same in words to be read out. */
export interface CorrectionLine {
  readonly children: readonly (Node | string)[];
  readonly spoken: string;
}

/** The line for these corrections. `asTyped` is called where the words that were typed are wanted. */
export function correctionLine(corrections: readonly Correction[], asTyped: () => void): CorrectionLine {
  const typed = corrections.map(({ word }) => `“${word}”`).join(", ");
  const button = element("button", { type: "button" }, `search for ${typed} instead`);
  button.addEventListener("click", asTyped);
  const used = corrections.flatMap(({ used: word }, at) => [
    ...(at === 0 ? [] : [", "]),
    element("strong", {}, word),
  ]);
  return {
    children: ["Showing results for ", ...used, "; ", button],
    spoken: `for ${corrections.map(({ used: word }) => word).join(", ")}`,
  };
}
