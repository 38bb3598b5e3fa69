/**
 * What all code of this isolate shares: the Worker, and every object that the platform puts beside it. Memory is one
 * number for all of them, and a shard that several objects hold is there once.
 */
import kernels from "../build/kernels.wasm";
import { MemoryBudget } from "../shared/engine/budget.ts";
import { createWasmArena } from "../shared/kernels/arena.ts";
import { pause } from "./pause.ts";
import { type Env, residentBudget } from "./settings.ts";
import { HotShards } from "./shards/hot-shards.ts";

let shared: HotShards | undefined;

/** The loaded shards and the budget of this isolate. Variables do not change during its life, so any caller's will do. */
export function isolateShards(env: Env): HotShards {
  shared ??= new HotShards({
    budget: new MemoryBudget(residentBudget(env.RESIDENT_BYTES)),
    arena: (capBytes) => createWasmArena(kernels, capBytes),
    now: () => Date.now(),
    pause,
  });
  return shared;
}
