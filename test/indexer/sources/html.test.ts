import { describe, expect, it } from "vitest";
import { readHtml } from "../../../indexer/sources/html.ts";

describe("readHtml", () => {
  it("sets blocks, lines and cells apart and collapses white space", () => {
    const { text } = readHtml(
      "<p>One <b>two</b>\n  three<br>four&nbsp;x</p><ul><li>a<li>b</ul><table><tr><th>h<th>i<tr><td>1<td>2</table>end",
    );
    expect(text).toBe("One two three\nfour x\n\na\nb\n\nh\ti\n1\t2\n\nend");
  });

  it("keeps preformatted text and the words of images", () => {
    expect(readHtml('<pre>\n  a\n    <b>b</b>\n\n</pre>x<img alt="pic">y').text).toBe(
      "  a\n    b\n\nx pic y",
    );
  });

  it("drops code, drawings, controls, hidden parts and ways around the site", () => {
    const dropped =
      "<script>a</script><style>b</style><noscript>c</noscript><template>d</template><svg><title>e</title></svg><nav>f</nav><header>g</header><footer>h</footer><aside>i</aside><p hidden>j</p><button>k</button><!-- l -->";
    expect(readHtml(`<title>T</title>${dropped}<p>kept</p>`)).toMatchObject({ title: "T", text: "kept" });
  });

  it.each([
    ["the main element", "<p>no</p><main><header>yes</header></main>", "yes"],
    ["the only article", "<p>no</p><article>yes<aside>too</aside></article>", "yes\n\ntoo"],
    [
      "all of the body when articles are several",
      "<header>no</header><article><header>a</header></article><article>b</article>",
      "a\n\nb",
    ],
  ])("takes %s", (_, html, text) => {
    expect(readHtml(html).text).toBe(text);
  });

  it("takes the title from the head, else from the first h1, which is not repeated", () => {
    expect(readHtml("<title> A\n b </title><h1>H</h1>x")).toMatchObject({ title: "A b", text: "H\n\nx" });
    expect(readHtml("<body><h1>H <i>i</i></h1>x")).toMatchObject({ title: "H i", text: "x" });
    expect(readHtml("x").title).toBe("");
  });

  it("takes the anchor from the heading, from the section it opens, or makes one", () => {
    const { sections } = readHtml(
      '<h2 id="own">A<a class="headerlink" href="#own">\u00b6</a></h2><section id="sec"><h2>B</h2><h2>C d</h2></section>',
    );
    expect(sections.map(({ heading, anchor }) => [heading, anchor])).toEqual([
      ["A", "own"],
      ["B", "sec"],
      ["C d", "c-d"],
    ]);
  });

  it("keeps the description and the canonical address", () => {
    const head =
      '<meta name="Description" content=" D  d "><link rel="canonical" href="https://x.y/z"><meta name="description" content="2">';
    expect(readHtml(head).fields).toEqual([
      ["description", "D d"],
      ["url", "https://x.y/z"],
    ]);
  });

  it("shows markup that was text as text", () => {
    expect(readHtml("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>").text).toBe("<script>alert(1)</script>");
  });

  it("survives nesting deeper than the call stack, and many children", () => {
    expect(readHtml(`${"<div>".repeat(20_000)}deep`).text).toBe("deep");
    expect(readHtml(`<h1>${"<b>x</b>".repeat(150_000)}</h1>`).title).toHaveLength(150_000);
  });
});
