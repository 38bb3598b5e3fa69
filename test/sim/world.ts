/** Everything that the processes of one schedule share: clock, store, ledger, model, randomness. */
import { Random } from "../../indexer/random.ts";
import type { PublishPorts } from "../../indexer/store/publish.ts";
import { toHex } from "../../shared/hash.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { breakByChance, type Chance } from "../helpers/fault-plan.ts";
import { FaultStore } from "../helpers/fault-store.ts";
import { DELETE_LANDS_MS, GateStore } from "./gate-store.ts";
import { Ledger, type Retention } from "./ledger.ts";
import type { Life } from "./life.ts";
import { type Intent, Model } from "./model.ts";
import { Scheduler, type Unrest } from "./scheduler.ts";
import { SharedStore } from "./shared-store.ts";

/** What a world is like. */
export interface WorldPlan {
  readonly seed: number;
  readonly retention: Retention;
  readonly unrest: Unrest;
}

/** One schedule's world. */
export class World {
  readonly #random: Random;
  readonly retention: Retention;
  readonly scheduler: Scheduler;
  readonly ledger: Ledger;
  readonly model: Model;
  readonly store: SharedStore;
  /** Beginning of the schedule by the store's clock. */
  readonly started: number;

  constructor({ seed, retention, unrest }: WorldPlan, log?: (line: string) => void) {
    this.#random = new Random(seed);
    this.retention = retention;
    this.scheduler = new Scheduler(new Random(this.#random.bits()), unrest, log);
    this.ledger = new Ledger(retention);
    this.model = new Model(this.ledger);
    this.started = this.scheduler.now;
    this.store = new SharedStore(this.ledger, () => this.scheduler.now);
  }

  /** A broken promise that somebody has noticed. */
  broken(sentence: string): void {
    this.ledger.violations.push(sentence);
  }

  /** The store as a process sees it, with faults that strike by chance until the schedule calms down. */
  storeOf(life: Life, chances: readonly Chance[]): WriteStore {
    const gate = new GateStore(this.store, life);
    const byChance = breakByChance(new Random(this.#random.bits()), chances);
    return new FaultStore(gate, (operation) => (this.scheduler.calm ? null : byChance(operation)), {
      pause: (milliseconds) => life.pause(milliseconds),
      crash: () => life.die(),
      later: (milliseconds, work, { method, key }) => {
        const within = method === "delete" ? DELETE_LANDS_MS : Number.POSITIVE_INFINITY;
        this.scheduler.later(`${method} ${key} of ${life.name}`, milliseconds, within, () =>
          gate.landing(work),
        );
      },
    });
  }

  /** Randomness and pauses of a process. */
  drawingPorts(life: Life): PublishPorts {
    const random = new Random(this.#random.bits());
    return {
      pause: (milliseconds) => life.pause(milliseconds),
      randomBytes: (length) => Uint8Array.from({ length }, () => random.below(256)),
    };
  }

  /** The same, where every commit id that is drawn is known for this run's. */
  publishPorts(life: Life, index: string, intent: Intent): PublishPorts {
    const ports = this.drawingPorts(life);
    return {
      ...ports,
      randomBytes: (length) => {
        const bytes = ports.randomBytes(length);
        if (length === 16) this.model.drawn(toHex(bytes), { index, intent });
        return bytes;
      },
    };
  }
}
