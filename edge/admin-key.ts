/** Who may write: whoever sends the secret `ADMIN_KEY` as a bearer token. */
import { LightedgeError } from "../shared/errors.ts";
import { fromHex, sha256 } from "../shared/hash.ts";

/** Characters of a key, least and most. Sixteen random ones are more than can be tried over a network. */
const LENGTH = { least: 16, most: 512 } as const;

/** What a bearer token may be made of: RFC 6750, section 2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** workerd has it; Node's Web Crypto does not. */
type MaybeTimingSafe = {
  readonly timingSafeEqual?: (a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>) => boolean;
};

/** The secret of a deployment. Only its digest is compared, so lengths and prefixes take the same time. */
export class AdminKey {
  readonly #secret: Promise<Uint8Array<ArrayBuffer>>;

  private constructor(secret: string) {
    this.#secret = digestOf(secret);
  }

  /**
   * The key in a variable, or null where there is none: then nobody may write. Throws an Error for a value
   * that could not be sent or might be guessed; it does not repeat the value.
   */
  static from(variable: string | undefined): AdminKey | null {
    if (variable === undefined || variable === "") return null;
    if (variable.length >= LENGTH.least && variable.length <= LENGTH.most && TOKEN.test(variable))
      return new AdminKey(variable);
    throw new Error(
      `ADMIN_KEY must be ${LENGTH.least} to ${LENGTH.most} letters, digits and - . _ ~ + /, such as "openssl rand -hex 32" prints.`,
    );
  }

  /** Throws `request/unauthorized` unless the request carries the key. Reads one header and nothing else. */
  async admit(request: Request): Promise<void> {
    const header = request.headers.get("authorization");
    const token = /^bearer +(\S+)$/i.exec(header ?? "")?.[1] ?? "";
    // Hashed whatever was sent, so that a missing key takes as long as a wrong one.
    const given = await digestOf(token.length <= LENGTH.most ? token : "");
    if (equal(given, await this.#secret)) return;
    const message =
      header === null
        ? "Writing needs the header Authorization: Bearer KEY."
        : "The key in the header Authorization is not the one of this deployment.";
    throw new LightedgeError("request/unauthorized", message, { field: "authorization" });
  }
}

async function digestOf(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return fromHex(await sha256(text));
}

/** Whether two digests are equal, in a time that does not depend on where they differ. */
function equal(a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>): boolean {
  const { timingSafeEqual } = crypto.subtle as MaybeTimingSafe;
  if (timingSafeEqual !== undefined) return timingSafeEqual.call(crypto.subtle, a, b);
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a[at]! ^ b[at]!;
  return difference === 0;
}
