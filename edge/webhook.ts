/** Alarms to wherever the operator wants them: signed, at most one an hour for each index and region, never in the way. */
import { toHex } from "../shared/hash.ts";

/** What an alarm says. */
export interface Alarm {
  readonly index: string;
  readonly region: string;
  /**
   * `stale`: older than promised. `failing`: its newest version cannot be read in full. `behind`: another region
   * has had a newer one for longer than promised.
   */
  readonly kind: "stale" | "failing" | "behind";
  readonly version: string | null;
  /** Seconds since the index was last as its source, and what was promised; null where that is not known. */
  readonly age_s: number | null;
  readonly max_age_s: number | null;
  /** For people: what is wrong and what to do. */
  readonly message: string;
}

/** What sending needs of the place it runs in. */
export interface WebhookPorts {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Time between two alarms of one index in one region, in ms. */
const QUIET_MS = 3_600_000;
/** Time for one alarm to be taken, in ms. */
const TIMEOUT_MS = 10_000;
/** Characters of a secret, at least. */
const LEAST_SECRET = 16;

/** A receiver of alarms. */
export class Webhook {
  readonly #url: string;
  readonly #secret: string;
  readonly #ports: WebhookPorts;
  readonly #sentAt = new Map<string, number>();

  private constructor(url: string, secret: string, ports: WebhookPorts) {
    this.#url = url;
    this.#secret = secret;
    this.#ports = ports;
  }

  /** The receiver in two variables, or null where there is none. Throws an Error for one that is not https or has no secret. */
  static from(url: string | undefined, secret: string | undefined, ports: WebhookPorts): Webhook | null {
    if (url === undefined || url === "") return null;
    const parsed = URL.canParse(url) ? new URL(url) : null;
    if (parsed?.protocol !== "https:" || parsed.username !== "" || parsed.password !== "")
      throw new Error("ALARM_WEBHOOK must be an https address without a name or password in it.");
    if (secret === undefined || secret.length < LEAST_SECRET)
      throw new Error(`ALARM_SECRET must be set, with ${LEAST_SECRET} characters or more, to sign alarms.`);
    return new Webhook(parsed.href, secret, ports);
  }

  /**
   * Sends an alarm unless one of its index and region went out within the hour. `X-Lightedge-Signature` is `v1=` and the HMAC-SHA-256 in
   * hexadecimal, under the secret, of the text of `X-Lightedge-Timestamp` (seconds since 1970), a point and the body.
   * Gives what went wrong, or null. Never rejects.
   */
  async send(alarm: Alarm): Promise<string | null> {
    const now = this.#ports.now();
    const about = `${alarm.region}/${alarm.index}`;
    if (now - (this.#sentAt.get(about) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return null;
    // Before it is sent: two checks at the same time make one alarm.
    this.#sentAt.set(about, now);
    try {
      const timestamp = String(Math.floor(now / 1000));
      const body = JSON.stringify({ type: "lightedge.alarm", ...alarm });
      const response = await this.#ports.fetch(this.#url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-lightedge-timestamp": timestamp,
          "x-lightedge-signature": `v1=${await this.#sign(`${timestamp}.${body}`)}`,
        },
        body,
        // A redirect would carry the alarm to an address that nobody chose.
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      if (response.status >= 200 && response.status < 300) return null;
      this.#sentAt.delete(about);
      return `The webhook answered ${response.status}.`;
    } catch (error) {
      this.#sentAt.delete(about);
      return `The webhook did not answer: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  async #sign(text: string): Promise<string> {
    const encoder = new TextEncoder();
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", encoder.encode(this.#secret), algorithm, false, [
      "sign",
    ]);
    return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text))));
  }
}
