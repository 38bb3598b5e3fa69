import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readMarkdown } from "../../../indexer/sources/markdown.ts";

describe("readMarkdown", () => {
  it("keeps words and drops marks", () => {
    const { text } = readMarkdown(
      "A *b* **c** `d`\nwrapped [link](http://x) ![pic](y) ~~e~~ &amp; <b>f</b>  \nnext[^1]\n\n> quote\n\n- [x] one\n- two\n\n[^1]: Note.\n\n[def]: http://z\n",
    );
    expect(text).toBe("A b c d wrapped link pic e & f\nnext\n\nquote\n\none\ntwo\n\nNote.");
  });

  it("keeps cells and code as they stand", () => {
    const { text } = readMarkdown("| a | b |\n|---|---|\n| 1 | *2* |\n\n```js\n\n  if (x)\n    y\n\n```\n");
    expect(text).toBe("a\tb\n1\t2\n\n  if (x)\n    y");
  });

  it("takes the first h1 as title and does not repeat it", () => {
    const { title, text, sections } = readMarkdown("# My *guide*\n\nIntro.\n\n# My guide\n\nMore.");
    expect([title, text]).toEqual(["My guide", "Intro.\n\nMy guide\n\nMore."]);
    expect(sections.map(({ start, end, anchor }) => [start, end, anchor])).toEqual([
      [0, 8, "my-guide"],
      [8, 23, "my-guide-1"],
    ]);
  });

  it("begins a section with its heading, and ends it where the next begins", () => {
    const { text, sections } = readMarkdown(
      "Intro.\n\n## Set *up* `x`\n\nBody.\n\n### Empty\n\n## Last\nEnd.",
    );
    expect(sections.map(({ start, end, level }) => [level, text.slice(start, end).trim()])).toEqual([
      [2, "Set up x\n\nBody."],
      [3, "Empty"],
      [2, "Last\n\nEnd."],
    ]);
  });

  it("makes anchors as GitHub does, and takes the author's own", () => {
    const source =
      "## A b, c!\n## A b c\n## A-b-c\n## \u00dcber_uns\n## \u4f60\u597d\n## Own {#my-id}\n## a b c-1\n";
    expect(readMarkdown(source).sections.map((section) => section.anchor)).toEqual([
      "a-b-c",
      "a-b-c-1",
      "a-b-c-2",
      "\u00fcber_uns",
      "\u4f60\u597d",
      "my-id",
      "a-b-c-1-1",
    ]);
  });

  it("turns front matter into fields", () => {
    const page = readMarkdown(
      "---\r\ntitle: 404\nurl: /x\ntags: [a, 2]\ndate: 2024-01-02\nmenu: {main: {weight: 3}}\n---\r\n# Head\n",
    );
    expect(page.title).toBe("404");
    expect(page.fields).toEqual([
      ["url", "/x"],
      ["tags", ["a", 2]],
      ["date", "2024-01-02"],
      ["menu", '{"main":{"weight":3}}'],
    ]);
    expect(page.text).toBe("Head");
  });

  it.each(["---\ntext\n---\nmore", "---\nnever: closed\n", "text\n---\na: 1\n---\n", "----\na: 1\n---\n"])(
    "takes rules for rules and not for front matter: %j",
    (source) => expect(readMarkdown(source).fields).toEqual([]),
  );

  it.each([
    ["---\na: 1\nb: [\n---\n", "not valid YAML"],
    ["---\na: 1\na: 2\n---\n", "unique"],
    ["---\ntitle: [a]\n---\n", "must be a string"],
    [
      `---\na: &a [x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: [*a, *a, *a]`).join("\n")}\n---\n`,
      "alias",
    ],
  ])("refuses the front matter %j", (source, reason) => {
    expect(() => readMarkdown(source)).toThrow(reason);
  });

  it("keeps a reserved name in front matter for the validator to refuse", () => {
    expect(readMarkdown("---\n__proto__: 1\n---\n").fields).toEqual([["__proto__", 1]]);
  });

  it("reads headings, images and text out of raw HTML, and no scripts", () => {
    const page = readMarkdown(
      '<h1 align="center">Logo Kit</h1>\n\n<p><img alt="Logo" src="l"></p>\n\n<script>\nevil()\n</script>\n\nText<br>here.',
    );
    expect([page.title, page.text]).toEqual(["Logo Kit", "Logo\n\nText\nhere."]);
  });

  it("survives nesting deeper than the call stack", () => {
    expect(readMarkdown(`${">".repeat(5_000)} deep`).text).toBe("deep");
  });

  it("gives ascending sections that cover everything below the first heading, for any text", () => {
    const part = fc.constantFrom(
      "# A",
      "## B",
      "words",
      "\n",
      "\n\n",
      "- ",
      "`c`",
      "> ",
      "|",
      "<div>",
      "</div>",
      "***",
      "\u{1f600}",
      "---\n",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const { text, sections } = readMarkdown(parts.join(" "));
        for (const [i, { start, end }] of sections.entries()) {
          expect(start).toBeLessThanOrEqual(end);
          expect(end).toBe(sections[i + 1]?.start ?? text.length);
        }
      }),
    );
  });
});
