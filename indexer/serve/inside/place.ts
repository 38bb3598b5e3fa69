/**
 * Runs in workerd, in local serving alone, around the Worker as it is deployed: a place that requests come from. It says
 * where the request is, as the platform does by `request.cf`, and it puts the distance between the Worker and shard
 * objects, which live in other isolates, one for each region. The Worker's own code is the same to the byte.
 *
 * `x-lightedge-from: REGION` sends a request to that region's place instead of this one's. `/local/faults` is the control of
 * the server's faults, where there is one; `/v1/regions` says so in the header `x-lightedge-faults`.
 */

/** What a service binding answers. */
interface Service {
  fetch(request: Request | string): Promise<Response>;
}

interface Stub {
  readonly [name: string]: unknown;
}

type Callable = Readonly<Record<string, (...given: readonly unknown[]) => unknown>>;

/** Of a namespace what shards are found with. */
interface Namespace {
  idFromName(name: string): unknown;
  get(id: unknown, options?: unknown): Stub;
}

/** A Durable Object's id before it is known in which region's namespace it is. */
interface NamedId {
  readonly name: string;
}

interface Context {
  waitUntil(work: Promise<unknown>): void;
}

type Env = Readonly<Record<string, unknown>>;

interface Worker {
  fetch(request: Request, env: Env, context: Context): Promise<Response>;
}

/** The path of the control on the Worker's own origin. */
const FAULTS_PATH = "/local/faults";

/** Wraps the Worker. `LOCAL_PLACE` is this place, `LOCAL_PLACES` all of them with their coordinates, the first home. */
export function placeOf(worker: Worker): Worker {
  let inside: Env | undefined;
  return {
    async fetch(request, env, context) {
      const here = String(env.LOCAL_PLACE);
      const places = env.LOCAL_PLACES as Readonly<
        Record<string, { latitude: number; longitude: number } | null>
      >;
      const { pathname } = new URL(request.url);
      const control = env.CONTROL as Service | undefined;
      if (pathname === FAULTS_PATH && control !== undefined) return control.fetch(request);
      const from = request.headers.get("x-lightedge-from") ?? here;
      if (!Object.hasOwn(places, from)) return unknownPlace(from, Object.keys(places));
      if (from !== here) return (env[`PLACE_${from}`] as Service).fetch(request);
      inside ??= { ...env, SHARDS: distantShards(env, here, Object.keys(places)[0] ?? here) };
      const place = places[here];
      const cf = place ? { latitude: String(place.latitude), longitude: String(place.longitude) } : {};
      // As the platform has it: `cf` is a part of a request that the types of the web do not know.
      const located = new Request(request, { cf } as RequestInit);
      const answer = await worker.fetch(located, inside, context);
      if (pathname !== "/v1/regions" || control === undefined) return answer;
      const marked = new Response(answer.body, answer);
      marked.headers.set("x-lightedge-faults", FAULTS_PATH);
      return marked;
    },
  };
}

function unknownPlace(from: string, places: readonly string[]): Response {
  const message = `x-lightedge-from must be one of ${places.join(", ")}, not ${JSON.stringify(from.slice(0, 40))}.`;
  return Response.json({ error: { code: "request/invalid", message } }, { status: 400 });
}

/** A namespace whose objects live in the region of their location hint, at home without one. */
function distantShards(env: Env, here: string, home: string): Namespace {
  return {
    idFromName: (name): NamedId => ({ name }),
    get(id, options) {
      const to = (options as { locationHint?: string } | undefined)?.locationHint ?? home;
      const { name } = id as NamedId;
      return distantStub(name, async () => {
        if (env.LINK !== undefined) await travel(env.LINK as Service, here, to);
        const shards = env[`SHARDS_${to}_${await isolateOf(env, to, name)}`] as Namespace;
        return shards.get(shards.idFromName(name));
      });
    },
  };
}

// One isolate for each place: what is known of an object is known for its life.
const isolates = new Map<string, number>();

/** The isolate that an object of a region lives in; the server keeps the list. */
async function isolateOf(env: Env, region: string, name: string): Promise<number> {
  if (env.LOCAL_ISOLATES === 1) return 0;
  const path = `${region}/${encodeURIComponent(name)}`;
  const known = isolates.get(path);
  if (known !== undefined) return known;
  const answer = await (env.SERVER as Service).fetch(`http://server/isolate/${path}`);
  const isolate = Number(await answer.text());
  isolates.set(path, isolate);
  return isolate;
}

/** A stub, each call of which first goes the way to the object. */
function distantStub(name: string, reach: () => Promise<Stub>): Stub {
  const own: Stub = { name };
  return new Proxy(own, {
    get(_, property) {
      // A stub has every name: one that had `then` would be taken for a promise.
      if (typeof property === "symbol" || property === "then") return undefined;
      if (property === "name") return name;
      return async (...given: readonly unknown[]) => {
        const target = await reach();
        // Called as a method and by nothing else: a stub takes even `call` and `apply` for names of the object's own.
        return (target as Callable)[property]!(...given);
      };
    },
  });
}

async function travel(link: Service, from: string, to: string): Promise<void> {
  const answer = await link.fetch(`http://link/${from}/${to}`);
  // What a stub throws where the other end is lost, and that it may be tried again.
  if (answer.status !== 204) throw Object.assign(new Error("Network connection lost."), { retryable: true });
}
