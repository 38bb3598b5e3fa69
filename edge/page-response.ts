/**
 * A page as an answer: one file, its style and script inside, under a policy that allows
 * just those.
 */

/** What the page is told by the deployment. */
export interface PageSettings {
  /** Names of the indexes it offers, the default first. */
  readonly indexes: readonly string[];
  /** Queries it suggests before anything is typed. */
  readonly examples: readonly string[];
}

/** The page with its headers, ready to be answered again and again. */
export interface PreparedPage {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where the settings are written in the pages of `page/`. */
const SETTINGS_SLOT = '<meta name="lightedge" content="{}">';

/**
 * Writes the settings into a built page and derives its Content-Security-Policy: nothing
 * from elsewhere, and only the style and the script whose digests are named.
 */
export async function preparePage(built: string, settings: PageSettings): Promise<PreparedPage> {
  const slot = `<meta name="lightedge" content="${escapeAttribute(JSON.stringify(settings))}">`;
  // By a function, because "$&" in a query would otherwise be a replacement pattern.
  const html = built.replace(SETTINGS_SLOT, () => slot);
  const style = await digestOfElement(html, "style");
  const script = await digestOfElement(html, "script");
  const policy = [
    "default-src 'none'",
    `style-src ${style}`,
    `script-src ${script}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ];
  return {
    html,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy.join("; "),
      "permissions-policy": "camera=(), geolocation=(), microphone=()",
      "cache-control": "no-cache",
    },
  };
}

/** The source expression of the page's one element of this kind, or 'none'. */
async function digestOfElement(html: string, tag: "style" | "script"): Promise<string> {
  const open = html.indexOf(`<${tag}`);
  const start = html.indexOf(">", open) + 1;
  const end = html.indexOf(`</${tag}>`, start);
  if (open < 0 || end < 0) return "'none'";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(html.slice(start, end)));
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`;
}

function escapeAttribute(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
