/**
 * An S3 server in this process, for one bucket: the operations that the indexer uses, conditions, pages, parts and
 * ranges, with signatures checked. Any answer can be spoilt before or after the request was carried out.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { S3Location } from "../../indexer/store/s3-location.ts";
import { type Signer, signatureFault } from "./s3-signature.ts";

/** What a request wants, by the API's own name for it. */
export type Operation =
  | "GetObject"
  | "HeadObject"
  | "PutObject"
  | "DeleteObject"
  | "ListObjectsV2"
  | "CreateMultipartUpload"
  | "UploadPart"
  | "CompleteMultipartUpload"
  | "AbortMultipartUpload";

/** A request as the server took it, for tests to look at. */
export interface Asked {
  readonly operation: Operation;
  /** The key, or the prefix of a listing. */
  readonly key: string;
  readonly headers: IncomingMessage["headers"];
}

/** An answer, before it is sent. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/** What goes wrong with one request. */
export type Spoiling =
  /** Instead of the answer; the request was carried out only where "after" is set. */
  | { readonly instead: Answer; readonly after?: boolean }
  /** The connection is closed without an answer. */
  | { readonly reset: "before" | "after" }
  /** No answer, or all but the last bytes of its body, and then nothing. */
  | { readonly stall: "head" | "body" }
  /** The connection is closed in the middle of the body. */
  | { readonly cut: true }
  /** Another answer made of the right one. */
  | { readonly change: (answer: Answer) => Answer };

interface Stored {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly modified: number;
}

const KEYS: Pick<Signer, "accessKeyId" | "secretAccessKey"> = {
  accessKeyId: "AKIATEST",
  secretAccessKey: "wJalr/XUtn+FEMI=",
};

/** The error that S3 answers with. */
export function s3Error(status: number, code: string, headers: Record<string, string> = {}): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>It is said to be ${code}.</Message></Error>`;
  return { status, headers: { "content-type": "application/xml", ...headers }, body };
}

/** One running server. */
export class S3Server {
  readonly bucket = "test-bucket";
  readonly region = "eu-test-1";
  /** Keys on a page of a listing. */
  pageSize = 3;
  /** Milliseconds that the server's clock is ahead of the machine's. */
  ahead = 0;
  /** Stalled connections that their clients closed. */
  dropped = 0;
  /** All requests that came, also those that were refused. */
  readonly asked: Asked[] = [];
  readonly objects = new Map<string, Stored>();
  readonly uploads = new Map<string, { readonly key: string; readonly parts: Map<number, Stored> }>();
  readonly #server: Server;
  #uploads = 0;
  #spoil: (asked: Asked) => Spoiling | null = () => null;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Uint8Array[] = [];
      request.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      request.on("error", () => undefined);
      request.on("end", () => this.#handle(request, Buffer.concat(chunks), response));
    });
  }

  /** Starts one on a free port. */
  static async start(): Promise<S3Server> {
    const server = new S3Server();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  /** Where it is, with the keys that it takes. */
  place(prefix = ""): S3Location {
    return {
      bucket: this.bucket,
      prefix,
      endpoint: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`,
      region: this.region,
      pathStyle: true,
      credentials: KEYS,
    };
  }

  /** Spoils every request for which this gives something. */
  spoil(how: (asked: Asked) => Spoiling | null): void {
    this.#spoil = how;
  }

  /** Spoils the next `times` requests for one operation, and forgets all spoiling before it. */
  spoilNext(operation: Operation, spoiling: Spoiling, times = 1): void {
    let left = times;
    this.#spoil = (asked) => (asked.operation === operation && left-- > 0 ? spoiling : null);
  }

  /** Forgets what was asked and how to spoil it. */
  calm(): void {
    this.asked.length = 0;
    this.ahead = 0;
    this.dropped = 0;
    this.#spoil = () => null;
  }

  /** How many requests for an operation came. */
  count(operation: Operation): number {
    return this.asked.filter((asked) => asked.operation === operation).length;
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(request: IncomingMessage, body: Uint8Array, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://server");
    const [, bucket, ...rest] = url.pathname.split("/");
    const name = operationOf(request.method ?? "", url.searchParams);
    const key = rest.length > 0 ? rest.map(decodeURIComponent).join("/") : "";
    const asked: Asked = {
      operation: name,
      key: name === "ListObjectsV2" ? (url.searchParams.get("prefix") ?? "") : key,
      headers: request.headers,
    };
    this.asked.push(asked);
    const spoiling = this.#spoil(asked);
    const signer = { ...KEYS, region: this.region };
    const fault = signatureFault(request, body, signer, Date.now() + this.ahead);
    const work = () => {
      if (fault !== null) return s3Error(fault.status, fault.code);
      if (bucket !== this.bucket) return s3Error(404, "NoSuchBucket");
      return this.#answer(asked, url.searchParams, body);
    };
    this.#send(request, response, spoiling, work);
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    spoiling: Spoiling | null,
    work: () => Answer,
  ): void {
    if (spoiling !== null && "reset" in spoiling) {
      if (spoiling.reset === "after") work();
      request.socket.destroy();
      return;
    }
    if (spoiling !== null && "stall" in spoiling) {
      request.socket.once("close", () => {
        this.dropped += 1;
      });
      if (spoiling.stall === "head") return;
    }
    let answer: Answer;
    if (spoiling !== null && "instead" in spoiling) {
      if (spoiling.after === true) work();
      answer = spoiling.instead;
    } else {
      answer = work();
    }
    if (spoiling !== null && "change" in spoiling) answer = spoiling.change(answer);
    const bytes = typeof answer.body === "string" ? Buffer.from(answer.body) : answer.body;
    const date = new Date(Date.now() + this.ahead).toUTCString();
    response.writeHead(answer.status, { date, "content-length": String(bytes.length), ...answer.headers });
    if (request.method === "HEAD" || answer.status === 204) {
      response.end();
    } else if (spoiling !== null && ("stall" in spoiling || "cut" in spoiling)) {
      response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => {
        if ("cut" in spoiling) request.socket.destroy();
      });
    } else {
      response.end(bytes);
    }
  }

  #answer({ operation, key, headers }: Asked, query: URLSearchParams, body: Uint8Array): Answer {
    switch (operation) {
      case "GetObject":
      case "HeadObject":
        return this.#read(key, headers.range);
      case "PutObject":
        return this.#conditional(key, headers) ?? this.#store(key, body, digestOf(body));
      case "DeleteObject":
        this.objects.delete(key);
        return { status: 204, headers: {}, body: "" };
      case "ListObjectsV2":
        return this.#list(query);
      case "CreateMultipartUpload": {
        this.#uploads += 1;
        const id = `upload-${this.#uploads}`;
        this.uploads.set(id, { key, parts: new Map() });
        return xml("InitiateMultipartUploadResult", `<UploadId>${id}</UploadId>`);
      }
      default:
        return this.#part(operation, key, headers, query, body);
    }
  }

  #part(
    operation: Operation,
    key: string,
    headers: IncomingMessage["headers"],
    query: URLSearchParams,
    body: Uint8Array,
  ): Answer {
    const id = query.get("uploadId") ?? "";
    const upload = this.uploads.get(id);
    if (upload === undefined || upload.key !== key) return s3Error(404, "NoSuchUpload");
    if (operation === "UploadPart") {
      const part = { body, etag: digestOf(body), modified: 0 };
      upload.parts.set(Number(query.get("partNumber")), part);
      return { status: 200, headers: { etag: `"${part.etag}"` }, body: "" };
    }
    if (operation === "AbortMultipartUpload") {
      this.uploads.delete(id);
      return { status: 204, headers: {}, body: "" };
    }
    const named = Array.from(
      Buffer.from(body)
        .toString()
        .matchAll(/<ETag>(?:&quot;|")([^<&"]*)(?:&quot;|")<\/ETag>\s*<PartNumber>(\d+)<\/PartNumber>/g),
      ([, etag, number]) => ({ etag, part: upload.parts.get(Number(number)) }),
    );
    const parts = named.flatMap(({ etag, part }) => (part?.etag === etag && part ? [part] : []));
    if (parts.length === 0 || parts.length !== named.length) return s3Error(400, "InvalidPart");
    const refusal = this.#conditional(key, headers);
    if (refusal !== null) return refusal;
    this.uploads.delete(id);
    const etags = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, "hex")));
    const etag = `${digestOf(etags)}-${parts.length}`;
    this.#store(key, Buffer.concat(parts.map((part) => part.body)), etag);
    return xml("CompleteMultipartUploadResult", `<ETag>&quot;${etag}&quot;</ETag>`);
  }

  #read(key: string, range: string | undefined): Answer {
    const found = this.objects.get(key);
    if (found === undefined) return s3Error(404, "NoSuchKey");
    const headers = { etag: `"${found.etag}"`, "last-modified": new Date(found.modified).toUTCString() };
    const size = found.body.length;
    if (range === undefined) {
      return { status: 200, headers: { ...headers, "content-length": String(size) }, body: found.body };
    }
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
    if (Number(first) >= size) return s3Error(416, "InvalidRange");
    const end = Math.min(Number(last) + 1, size);
    const contentRange = `bytes ${first}-${end - 1}/${size}`;
    const body = found.body.subarray(Number(first), end);
    return { status: 206, headers: { ...headers, "content-range": contentRange }, body };
  }

  #list(query: URLSearchParams): Answer {
    const prefix = query.get("prefix") ?? "";
    const after = Buffer.from(query.get("continuation-token") ?? "", "base64url").toString();
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, this.pageSize);
    const entries = page.map((key) => {
      const { body, etag, modified } = this.objects.get(key)!;
      // Milliseconds here and none in a HEAD, as R2 has it.
      const time = new Date(modified).toISOString();
      const name = query.get("encoding-type") === "url" ? encodeURIComponent(key) : key;
      return `<Contents><Key>${name}</Key><LastModified>${time}</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${body.length}</Size></Contents>`;
    });
    const isCut = page.length < keys.length;
    const next = isCut
      ? `<NextContinuationToken>${Buffer.from(page.at(-1)!).toString("base64url")}</NextContinuationToken>`
      : "";
    const facts = `<Name>${this.bucket}</Name><EncodingType>url</EncodingType><KeyCount>${page.length}</KeyCount><IsTruncated>${isCut}</IsTruncated>`;
    return xml("ListBucketResult", facts + entries.join("") + next);
  }

  #store(key: string, body: Uint8Array, etag: string): Answer {
    this.objects.set(key, { body, etag, modified: Date.now() + this.ahead });
    return { status: 200, headers: { etag: `"${etag}"` }, body: "" };
  }

  #conditional(key: string, headers: IncomingMessage["headers"]): Answer | null {
    const current = this.objects.get(key);
    const match = headers["if-match"];
    if (headers["if-none-match"] === "*" && current !== undefined) return s3Error(412, "PreconditionFailed");
    if (match === undefined) return null;
    if (current === undefined) return s3Error(404, "NoSuchKey");
    // A list of versions, or a star for any, as HTTP has it.
    const matches = match === "*" || match.split(/, */).includes(`"${current.etag}"`);
    return matches ? null : s3Error(412, "PreconditionFailed");
  }
}

function operationOf(method: string, query: URLSearchParams): Operation {
  const inParts = query.has("uploadId");
  switch (method) {
    case "PUT":
      return inParts ? "UploadPart" : "PutObject";
    case "POST":
      return inParts ? "CompleteMultipartUpload" : "CreateMultipartUpload";
    case "DELETE":
      return inParts ? "AbortMultipartUpload" : "DeleteObject";
    case "HEAD":
      return "HeadObject";
    default:
      return query.has("list-type") ? "ListObjectsV2" : "GetObject";
  }
}

function xml(root: string, content: string): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`;
  return { status: 200, headers: { "content-type": "application/xml" }, body };
}

function digestOf(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}
