/** A plan, carried out: step by step, and where one fails the rest is left. */
import { asLightedgeError, LightedgeError } from "../../shared/errors.ts";
import { type SecretName, type Step, titleOf } from "./plan.ts";

/** What came of a command. */
export interface Ran {
  readonly code: number;
  /** Both streams, as they came. */
  readonly output: string;
}

/** What carrying out a plan takes from the world around it. */
export interface DeployPorts {
  /** Runs wrangler with these words, and this as its standard input. Rejects where it cannot be started. */
  wrangler(words: readonly string[], input?: string): Promise<Ran>;
  /** Writes a file beside `wrangler.toml`. */
  write(file: string, text: string): Promise<void>;
  /** Brings kernels and pages up to date. */
  build(): Promise<void>;
  /** Publishes all indexes; the exit code of `lightedge reindex`. */
  publish(): Promise<number>;
  /** The value of a variable of the environment that is set. */
  secret(name: SecretName): string;
  /** Told what is going on. */
  say(line: string): void;
}

/** Lines of a failed command's output that are repeated. */
const TAIL = 20;

/**
 * Carries a plan out. Resolves to one line for each step, once all are done. Throws `store/unavailable` with the step that failed, what it said,
 * what was done before and how to go on; and `internal` for what is a defect of ours.
 */
export async function runPlan(steps: readonly Step[], ports: DeployPorts): Promise<readonly string[]> {
  const done: string[] = [];
  for (const step of steps) {
    ports.say(`${titleOf(step)} ...`);
    let failure: string | null;
    try {
      failure = await carryOut(step, ports, done);
    } catch (thrown) {
      const error = asLightedgeError(thrown);
      failure = error.code === "internal" && thrown instanceof Error ? thrown.message : error.message;
    }
    if (failure !== null) throw stopped(step, failure, done, steps);
  }
  return done;
}

/** What went wrong, null for nothing. */
async function carryOut(step: Step, ports: DeployPorts, done: string[]): Promise<string | null> {
  const title = titleOf(step);
  switch (step.kind) {
    case "bucket": {
      if ((await ports.wrangler(step.look)).code === 0) {
        done.push(`${title}: is there`);
        return null;
      }
      // No look can tell a bucket that is not there from one that cannot be seen: making it says which.
      return after(await ports.wrangler(step.make), done, `${title}: made`);
    }
    case "write":
      await ports.write(step.file, step.text);
      done.push(`${title}: written`);
      return null;
    case "build":
      await ports.build();
      done.push(`${title}: up to date`);
      return null;
    case "worker":
      return after(await ports.wrangler(step.words), done, `${title}: deployed`);
    case "secrets": {
      const values = Object.fromEntries(step.names.map((name) => [name, ports.secret(name)]));
      const ran = await ports.wrangler(step.words, JSON.stringify(values));
      return after({ ...ran, output: hide(ran.output, Object.values(values)) }, done, `${title}: set`);
    }
    case "publish": {
      const code = await ports.publish();
      if (code !== 0) return "Not every index was published to every region; what failed is said above.";
      done.push(`${title}: published to every region`);
      return null;
    }
  }
}

function after({ code, output }: Ran, done: string[], line: string): string | null {
  if (code === 0) {
    done.push(line);
    return null;
  }
  const said = output.trimEnd().split("\n").slice(-TAIL).join("\n");
  return `It ended with ${code} and said:\n${said}`;
}

/** A text without these values. */
function hide(text: string, values: readonly string[]): string {
  return values.reduce((rest, value) => rest.replaceAll(value, "***"), text);
}

function stopped(
  step: Step,
  failure: string,
  done: readonly string[],
  steps: readonly Step[],
): LightedgeError {
  const left = steps.slice(steps.indexOf(step)).map(titleOf);
  return new LightedgeError(
    "store/unavailable",
    [
      `The step "${titleOf(step)}" failed. ${failure}`,
      `Done: ${done.length === 0 ? "nothing" : done.join("; ")}.`,
      `Left: ${left.join("; ")}. Run the same command again when this is put right: what is done is found done.`,
    ].join("\n"),
    { field: step.kind },
  );
}
