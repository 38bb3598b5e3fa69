/** How long work tells where it is. */

/** One stage of the work. */
export interface Stage {
  /** Moves on by this many of the stage's units. */
  advance(units: number): void;
  /** Ends the stage; `note` is what came out of it. */
  done(note?: string): void;
}

/** Where stages are shown. */
export interface Progress {
  /** Begins a stage of `total` units, 0 where the number is not known beforehand. */
  stage(name: string, total: number): Stage;
  /** Something that should be read but stops nothing. */
  warn(message: string): void;
}

/** Shows nothing. */
export const SILENT: Progress = {
  stage: () => ({ advance: () => {}, done: () => {} }),
  warn: () => {},
};

/** Milliseconds between two drawings of a bar, and between two lines where there is no terminal. */
const REDRAW_MS = 100;
const LINE_MS = 10_000;
const BAR = 24;

/** What a progress display writes to: standard error in the command line. */
export interface Screen {
  write(text: string): void;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Bars on a terminal, a line every ten seconds elsewhere, a line when a stage is done on both. */
export function showProgress(screen: Screen, now: () => number = () => performance.now()): Progress {
  return {
    stage(name, total) {
      const started = now();
      let units = 0;
      let shown = started;
      const seconds = () => (now() - started) / 1000;
      const erase = () => (screen.isTTY ? "\r\u001b[2K" : "");
      return {
        advance(more) {
          units += more;
          if (now() - shown < (screen.isTTY ? REDRAW_MS : LINE_MS)) return;
          shown = now();
          const line = describe(name, units, total, seconds());
          screen.write(screen.isTTY ? `${erase()}${line.slice(0, (screen.columns ?? 80) - 1)}` : `${line}\n`);
        },
        done(note) {
          const tail = note === undefined ? "" : `  ${note}`;
          screen.write(`${erase()}${name.padEnd(28)} ${seconds().toFixed(1).padStart(6)} s${tail}\n`);
        },
      };
    },
    warn(message) {
      screen.write(`${screen.isTTY ? "\r\u001b[2K" : ""}warning: ${message}\n`);
    },
  };
}

function describe(name: string, units: number, total: number, seconds: number): string {
  if (total === 0) return `${name.padEnd(28)} ${Math.floor(units)}`;
  const share = Math.min(1, units / total);
  const filled = Math.round(share * BAR);
  const bar = `${"#".repeat(filled)}${"-".repeat(BAR - filled)}`;
  const left = share > 0.02 ? `, ${Math.ceil((seconds / share) * (1 - share))} s left` : "";
  return `${name.padEnd(28)} ${bar} ${Math.floor(share * 100)} %${left}`;
}
