import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Claim, MemoryBudget } from "../../../shared/engine/budget.ts";

const LIMIT = 1000;

/** What happens to a budget: somebody comes, uses, changes, may be evicted or not any more, or goes. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("claim" as const), bytes: fc.integer({ min: 0, max: 1200 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("settle" as const), who: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("hold" as const), who: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("use" as const), who: fc.nat(30) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("resize" as const),
      who: fc.nat(30),
      bytes: fc.integer({ min: 0, max: 1200 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("release" as const), who: fc.nat(30) }) },
);

/** The dumb twin of a budget: a list of who has what, the least recently used first. */
interface Owner {
  bytes: number;
  mayGo: boolean;
  claim: Claim;
}

describe("a budget", () => {
  it("never gives out more than there is, evicts nobody who may not go, and none without need", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = new MemoryBudget(LIMIT);
        let owners: Owner[] = [];
        let evicted: Owner[] = [];
        const total = (list: readonly Owner[]) => list.reduce((sum, { bytes }) => sum + bytes, 0);
        /** Who goes for so many bytes more, or null where it is not enough. */
        const victims = (more: number, but: Owner | null): Owner[] | null => {
          const going: Owner[] = [];
          for (const owner of owners) {
            if (total(owners) + more - total(going) <= LIMIT) break;
            if (owner.mayGo && owner !== but) going.push(owner);
          }
          return total(owners) + more - total(going) <= LIMIT ? going : null;
        };
        const went = (wanted: Owner[] | null) => {
          expect(evicted).toEqual(wanted ?? []);
          owners = owners.filter((owner) => !evicted.includes(owner));
          evicted = [];
        };
        for (const each of steps) {
          const owner = "who" in each ? owners[each.who % Math.max(1, owners.length)] : undefined;
          if (each.kind === "claim") {
            const wanted = victims(each.bytes, null);
            const claim = budget.claim(each.bytes);
            expect(claim === null).toBe(wanted === null);
            went(wanted);
            if (claim !== null) owners.push({ bytes: each.bytes, mayGo: false, claim });
          } else if (owner === undefined) continue;
          else if (each.kind === "settle") {
            owner.mayGo = true;
            owner.claim.evictBy(() => evicted.push(owner));
          } else if (each.kind === "hold") {
            owner.mayGo = false;
            owner.claim.evictBy(null);
          } else if (each.kind === "use") {
            owner.claim.use();
            owners = [...owners.filter((other) => other !== owner), owner];
          } else if (each.kind === "resize") {
            const wanted = victims(each.bytes - owner.bytes, owner);
            expect(owner.claim.resize(each.bytes)).toBe(wanted !== null);
            went(wanted);
            if (wanted !== null) owner.bytes = each.bytes;
          } else {
            owner.claim.release();
            owner.claim.release();
            owners = owners.filter((other) => other !== owner);
          }
          expect(budget.usedBytes).toBe(total(owners));
          expect(budget.usedBytes).toBeLessThanOrEqual(LIMIT);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("gives nothing back for a claim that was evicted, nor lets it grow", () => {
    const budget = new MemoryBudget(LIMIT);
    const first = budget.claim(600)!;
    let gone = 0;
    first.evictBy(() => gone++);
    budget.claim(700);
    first.release();
    expect([gone, budget.usedBytes, first.resize(1)]).toEqual([1, 700, false]);
  });

  it("keeps what is spare only beside claims, which take from it what came first", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("claim", "spare", "release"), fc.integer({ min: 0, max: 600 })), {
          maxLength: 40,
        }),
        (steps) => {
          const budget = new MemoryBudget(LIMIT);
          let kept: { readonly bytes: number; release?: () => void }[] = [];
          const claims: Claim[] = [];
          const used = () => claims.reduce((sum, { bytes }) => sum + bytes, 0);
          const spare = () => kept.reduce((sum, { bytes }) => sum + bytes, 0);
          /** What is left when so much more is wanted. */
          const left = (more: number) => {
            const rest = [...kept];
            while (rest.length > 0 && used() + more + rest.reduce((sum, { bytes }) => sum + bytes, 0) > LIMIT)
              rest.shift();
            return rest;
          };
          for (const [kind, bytes] of steps) {
            if (kind === "release") {
              claims.shift()?.release();
              kept.pop()?.release?.();
              continue;
            }
            const fits = used() + bytes <= LIMIT;
            const wanted = fits ? left(bytes) : kept;
            if (kind === "claim") {
              const claim = budget.claim(bytes);
              expect(claim !== null).toBe(fits);
              if (claim !== null) claims.push(claim);
            } else {
              const own: (typeof kept)[number] = { bytes };
              const release = budget.spare(bytes, () => {
                kept = kept.filter((other) => other !== own);
              });
              expect(release !== null).toBe(fits);
              if (release !== null) {
                own.release = release;
                kept.push(own);
                wanted.push(own);
              }
            }
            expect(kept).toEqual(wanted);
            expect(budget.usedBytes).toBe(used());
            expect(used() + spare()).toBeLessThanOrEqual(LIMIT);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("has what is spare make way for what others take beside all claims, which claims do not", () => {
    const budget = new MemoryBudget(LIMIT);
    const gone: string[] = [];
    for (const name of ["a", "b", "c"]) budget.spare(300, () => gone.push(name));
    budget.setBeside(350);
    expect(gone).toEqual(["a"]);
    expect(budget.spare(400, () => undefined)).not.toBeNull();
    expect(gone).toEqual(["a", "b", "c"]);
    budget.setBeside(700);
    expect(budget.spare(400, () => undefined)).toBeNull();
    expect(budget.claim(LIMIT)).not.toBeNull();
  });
});
