/** Answers, and the headers that all of them carry. */

/** A JSON answer. `headers` is added to and used. */
export function json(body: unknown, status = 200, headers: Headers = new Headers()): Response {
  headers.set("content-type", "application/json; charset=utf-8");
  return new Response(JSON.stringify(body), { status, headers });
}

/** The value of `Server-Timing` for these phases, each in milliseconds. */
export function serverTiming(phases: Readonly<Record<string, number>>): string {
  return Object.entries(phases)
    .map(([name, milliseconds]) => `${name};dur=${Math.round(milliseconds * 1000) / 1000}`)
    .join(", ");
}

/** Which other sites' pages may read answers: all, none, or those listed as `https://host` origins. */
export type AllowedOrigins = "*" | readonly string[];

/**
 * The value of the variable `CORS_ORIGIN`: `*` (also when absent), or origins separated by commas,
 * none when empty.
 */
export function parseAllowedOrigins(value: string | undefined): AllowedOrigins {
  if (value === undefined || value.trim() === "*") return "*";
  return value
    .split(",")
    .map((origin) => origin.trim())
    .filter((origin) => origin !== "");
}

/** The same answer with the headers that every answer has; those it already has are kept. */
export function finish(response: Response, request: Request, allowed: AllowedOrigins): Response {
  // Copied, because an answer may come with immutable headers.
  const headers = new Headers(response.headers);
  const always: Readonly<Record<string, string>> = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": allowed === "*" ? "cross-origin" : "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  };
  for (const [name, value] of Object.entries(always)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  addCors(headers, request.headers.get("origin"), allowed);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** The answer to a preflight, or to a plain OPTIONS: the methods of this path. */
export function optionsResponse(methods: string): Response {
  return new Response(null, {
    status: 204,
    headers: {
      allow: methods,
      "access-control-allow-methods": methods,
      "access-control-allow-headers": "content-type",
      "access-control-max-age": "86400",
    },
  });
}

function addCors(headers: Headers, origin: string | null, allowed: AllowedOrigins): void {
  if (allowed !== "*") {
    // The answer depends on who asks, so a shared cache must not give it to another.
    if (allowed.length > 0) headers.append("vary", "origin");
    if (origin === null || !allowed.includes(origin)) return;
  }
  headers.set("access-control-allow-origin", allowed === "*" ? "*" : (origin ?? ""));
  headers.set(
    "access-control-expose-headers",
    "server-timing, x-request-id, x-lightedge-region, retry-after",
  );
}
