/** A client of a deployment with regions: asks from a place, and once more where the first answer is a failure. */

/** What came of a question. */
export interface Asked {
  /** The last answer; null where there was none, but a broken connection or silence. */
  readonly answer: { readonly status: number; readonly body: unknown } | null;
  /** Why there is no answer. */
  readonly reason?: string;
  readonly attempts: 1 | 2;
  /** Milliseconds of all attempts together, the pause between them included. */
  readonly ms: number;
}

/** Silence after which a client gives up an attempt: longer than any answer that is on its way. */
export const CLIENT_PATIENCE_MS = 20_000;
/** Pause before the second attempt. */
const RETRY_PAUSE_MS = 50;

/** Asks from the place of a region. A second attempt follows a status from 500 on, a broken connection and silence. Never throws. */
export async function ask(
  url: string,
  from: string,
  [path, init]: readonly [string, RequestInit],
): Promise<Asked> {
  const started = performance.now();
  for (let attempt: 1 | 2 = 1; ; attempt = 2) {
    const { answer, reason } = await attemptOf(new URL(path, url), from, init);
    const failed = answer === null || answer.status >= 500;
    if (!failed || attempt === 2) {
      const ms = performance.now() - started;
      return { answer, attempts: attempt, ms, ...(reason === undefined ? {} : { reason }) };
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
  }
}

async function attemptOf(
  url: URL,
  from: string,
  init: RequestInit,
): Promise<Pick<Asked, "answer" | "reason">> {
  try {
    const headers = { ...(init.headers as Record<string, string> | undefined), "x-lightedge-from": from };
    const signal = AbortSignal.timeout(CLIENT_PATIENCE_MS);
    const response = await fetch(url, { ...init, headers, signal });
    const text = await response.text();
    return { answer: { status: response.status, body: parsed(text) } };
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return { answer: null, reason: String(cause) };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
