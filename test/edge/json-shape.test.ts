import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkJsonShape } from "../../edge/json-shape.ts";

describe("the shape of a JSON text", () => {
  test.each(["[[[[]]]]", '{"a":{"b":{"c":{}}}}', '[{"a":[{}]}]'])("refuses %s above its depth", (text) => {
    expect(() => checkJsonShape(text, 3)).toThrow("The body nests deeper than 3 levels.");
    checkJsonShape(text, 4);
  });

  test("does not count brackets in strings, nor those that were closed", () => {
    checkJsonShape('{"a":"[[[[\\"[[[["}', 1);
    checkJsonShape("[[],[],[],[]]", 2);
  });

  test.each(['{"q":"a","q":"b"}', '{"q":1, "\\u0071" : 2}', '[{"a":{"x":1},"a":2}]'])(
    "refuses the repeated key of %s",
    (text) => {
      expect(() => checkJsonShape(text, 8)).toThrow("occurs twice");
    },
  );

  test("lets equal keys of different objects and equal values pass", () => {
    checkJsonShape('[{"a":"a"},{"a":"a"}]', 8);
  });

  test("passes every JSON text that has no repeated key, in one pass", () => {
    fc.assert(fc.property(fc.json({ maxDepth: 5 }), (text) => checkJsonShape(text, 8)));
    const started = performance.now();
    checkJsonShape(`{"a":"${'\\"'.repeat(500_000)}`, 8);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
