/** The client of the S3 API: made when it is first needed, and never waited for longer than was said. */
import type { S3Client } from "@aws-sdk/client-s3";
import { LightedgeError } from "../../shared/errors.ts";
import { failureOf, S3Failure } from "./s3-failure.ts";
import type { S3Location } from "./s3-location.ts";

/** How long a request may take. */
export interface S3Patience {
  /** For a request and the head of its answer, in ms. */
  readonly requestMs: number;
  /** What a body adds to that: its length over so many bytes a second. A body that stalls is slower. */
  readonly leastBytesPerSecond: number;
}

/** Rings after so many milliseconds; what it gives back calls that off. */
export type Alarm = (milliseconds: number, ring: () => void) => () => void;

/** What a request is made with. */
export interface S3Session {
  readonly sdk: Sdk;
  readonly client: S3Client;
  /** Given when the time is up or the answer is of no use. */
  readonly options: { readonly abortSignal: AbortSignal };
  /** Starts the time anew, for a body of this many bytes. */
  readonly expect: (bytes: number) => void;
}

type Sdk = typeof import("@aws-sdk/client-s3");
type Connection = Pick<S3Session, "sdk" | "client">;

const ALARM: Alarm = (milliseconds, ring) => {
  const timer = setTimeout(ring, milliseconds);
  return () => clearTimeout(timer);
};

/** Sends requests to one endpoint. */
export class S3Sender {
  readonly #place: S3Location;
  readonly #patience: S3Patience;
  readonly #alarm: Alarm;
  #connection: Promise<Connection> | undefined;

  constructor(place: S3Location, patience: S3Patience, alarm: Alarm = ALARM) {
    this.#place = place;
    this.#patience = patience;
    this.#alarm = alarm;
  }

  /**
   * What one request gives, whose body or answer has this many bytes. Throws an `S3Failure` for whatever the
   * store, the network or the time does to it, and the work's own `LightedgeError`s.
   */
  async send<T>(bytes: number, work: (session: S3Session) => Promise<T>): Promise<T> {
    const stop = new AbortController();
    const late = Promise.withResolvers<never>();
    let callOff = () => {};
    const expect = (length: number) => {
      callOff();
      if (stop.signal.aborted) return;
      const limit = this.#patience.requestMs + (length / this.#patience.leastBytesPerSecond) * 1000;
      callOff = this.#alarm(limit, () => {
        late.reject(new S3Failure("unclear", `no answer within ${Math.ceil(limit / 1000)} s`));
      });
    };
    expect(bytes);
    const done = this.#connect().then(({ sdk, client }) =>
      work({ sdk, client, options: { abortSignal: stop.signal }, expect }),
    );
    try {
      return await Promise.race([done, late.promise]);
    } catch (error) {
      // Closes the connection, on which more may come than anybody reads.
      stop.abort();
      throw error instanceof LightedgeError ? error : failureOf(error);
    } finally {
      callOff();
    }
  }

  #connect(): Promise<Connection> {
    this.#connection ??= connect(this.#place).catch((error: unknown) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }
}

async function connect({ endpoint, region, pathStyle, credentials }: S3Location): Promise<Connection> {
  // Here and not above: it costs 50 ms that no other store has to pay.
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
    forcePathStyle: pathStyle,
    // Ours are counted, and know which requests may be sent twice.
    maxAttempts: 1,
    // Stores other than Amazon's refuse the checksums that the client would add by itself. The digest of a body is
    // part of its signature, so a body that is damaged on the way is refused all the same.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  try {
    await client.config.region();
  } catch (error) {
    throw new S3Failure("denied", "no region", { reason: "NoRegion" }, error);
  }
  return { sdk, client };
}
