/** A memory cgroup of either version: a ceiling over one process, and what the kernel counted below it. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A cgroup without processes. Whoever writes its own id to `procs` is in it, with all it starts. */
export interface MemoryCgroup {
  readonly version: 1 | 2;
  readonly procs: string;
  /** Everything charged, in bytes: memory of processes, and pages of files that they were the first to read. */
  readonly peak: () => number;
  /** Bytes that belong to no file, so that the kernel cannot drop them. */
  readonly anonymous: () => number;
  /** Processes killed for want of memory. */
  readonly kills: () => number;
  /** Throws while a process is in it. */
  readonly remove: () => void;
}

interface Version {
  readonly version: 1 | 2;
  /** Name of the file that caps, of the one that caps with swap, and what the latter is given. */
  readonly cap: string;
  readonly swap: readonly [string, (bytes: number) => number];
  readonly peak: string;
  /** A file of `name number` lines, and the name. */
  readonly anonymous: readonly [string, string];
  readonly kills: readonly [string, string];
}

const VERSIONS: readonly Version[] = [
  {
    version: 2,
    cap: "memory.max",
    swap: ["memory.swap.max", () => 0],
    peak: "memory.peak",
    anonymous: ["memory.stat", "anon"],
    kills: ["memory.events", "oom_kill"],
  },
  {
    version: 1,
    cap: "memory.limit_in_bytes",
    // Memory and swap together, so the same ceiling leaves no room for swap.
    swap: ["memory.memsw.limit_in_bytes", (bytes) => bytes],
    peak: "memory.max_usage_in_bytes",
    anonymous: ["memory.stat", "rss"],
    kills: ["memory.oom_control", "oom_kill"],
  },
];

/** Where cgroups are found; a test has its own. */
export interface CgroupPlaces {
  /** Folder that the hierarchies are mounted in. */
  readonly mount: string;
  /** Content of /proc/self/cgroup. */
  readonly self: string;
}

/** A new cgroup below this process's own, or the nearest one above that lets itself be divided; undefined where none does. */
export function createMemoryCgroup(
  name: string,
  limitBytes: number,
  places: CgroupPlaces = { mount: "/sys/fs/cgroup", self: ownCgroups() },
): MemoryCgroup | undefined {
  for (const version of VERSIONS) {
    for (const parent of parents(version.version, places)) {
      const made = tryCreate(join(parent, name), version, limitBytes);
      if (made !== undefined) return made;
    }
  }
  return undefined;
}

function ownCgroups(): string {
  try {
    return readFileSync("/proc/self/cgroup", "utf8");
  } catch {
    // Not Linux.
    return "";
  }
}

/** Folders to try, the process's own first, then those above it. */
function parents(version: 1 | 2, { mount, self }: CgroupPlaces): readonly string[] {
  const pattern = version === 2 ? /^0::(\/.*)$/mu : /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/mu;
  const path = pattern.exec(self)?.[1];
  if (path === undefined) return [];
  const root = version === 2 ? mount : join(mount, "memory");
  const folders: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    // Within a container the path may lead out of what is mounted.
    if (!at.includes("..") && existsSync(join(root, at))) folders.push(join(root, at));
    if (at === "/") return folders;
  }
}

function tryCreate(folder: string, version: Version, limitBytes: number): MemoryCgroup | undefined {
  try {
    mkdirSync(folder);
  } catch {
    return undefined;
  }
  const file = (name: string) => join(folder, name);
  try {
    // Fails where the folder is none of a cgroup, or of one without the memory controller.
    writeFileSync(file(version.cap), String(limitBytes), { flag: "r+" });
    readFileSync(file(version.peak));
  } catch {
    rmdirSync(folder);
    return undefined;
  }
  const [swapFile, swapBytes] = version.swap;
  // Absent where the kernel does not account for swap.
  if (existsSync(file(swapFile))) writeFileSync(file(swapFile), String(swapBytes(limitBytes)));
  const read = (name: string) => readFileSync(file(name), "utf8");
  return {
    version: version.version,
    procs: file("cgroup.procs"),
    peak: () => Number(read(version.peak)),
    anonymous: () => numberIn(read(version.anonymous[0]), version.anonymous[1]),
    kills: () => numberIn(read(version.kills[0]), version.kills[1]),
    remove: () => rmdirSync(folder),
  };
}

/** The number of the line `name number`. NaN where there is no such line. */
export function numberIn(text: string, name: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(name.length + 1));
}
