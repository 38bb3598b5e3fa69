/**
 * Runs in workerd, in local serving alone, around the shard objects as they are deployed: an object can be told to lose its
 * memory. `POST /` takes the ids of objects as JSON and resets each, once it is at no call or has been for half a second. What
 * workerd offers for it blocks the process that asks until the object is idle, and with it the store it may be waiting for.
 */

/** An instance of the class of shard objects. */
interface ShardInstance {
  readonly ctx: { abort(reason: string): void };
  ask(message: unknown): Promise<unknown>;
}

type ShardClass = new (...given: never[]) => ShardInstance;

interface Env {
  readonly SHARDS: {
    idFromString(id: string): unknown;
    get(id: unknown): { localReset(): Promise<void> };
  };
}

/** Milliseconds that a reset waits for calls to end, and between two looks. */
const PATIENCE_MS = 500;
const LOOK_MS = 10;

/** The class, with a call more. */
export function resettable(deployed: ShardClass): ShardClass {
  return class extends deployed {
    #calls = 0;

    override async ask(message: unknown): Promise<unknown> {
      this.#calls++;
      try {
        return await super.ask(message);
      } finally {
        this.#calls--;
      }
    }

    async localReset(): Promise<void> {
      for (let waited = 0; this.#calls > 0 && waited < PATIENCE_MS; waited += LOOK_MS)
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      this.ctx.abort("This object was evicted, as the server was told to.");
    }
  };
}

/** Answers orders to reset objects. */
export const resets = {
  async fetch(request: Request, { SHARDS }: Env): Promise<Response> {
    // Safe: only the server that started this worker sends them.
    const ids = (await request.json()) as readonly string[];
    await Promise.all(
      ids.map(async (id) => {
        // Who is reset cannot say so.
        await SHARDS.get(SHARDS.idFromString(id))
          .localReset()
          .catch(() => undefined);
      }),
    );
    return new Response(null, { status: 204 });
  },
};
