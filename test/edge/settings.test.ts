import { describe, expect, test } from "vitest";
import { AdminKey } from "../../edge/admin-key.ts";
import {
  gcGrace,
  maxAges,
  maxStale,
  pointerMaxAge,
  queryDeadline,
  readsInbox,
  residentBudget,
  splitList,
} from "../../edge/settings.ts";

describe("variables", () => {
  test("that promise ages are read in seconds, minutes, hours and days", () => {
    expect([...maxAges(" docs=24h, blog = 7d,a=90s,b_c=15m,")]).toEqual([
      ["docs", 86_400],
      ["blog", 604_800],
      ["a", 90],
      ["b_c", 900],
    ]);
    expect(maxAges(undefined).size).toBe(0);
  });

  test.each([
    "docs",
    "docs=",
    "docs=24",
    "docs=0h",
    "docs=-1h",
    "docs=1w",
    "Docs=1h",
    "=1h",
    "a=1h=2h",
    "a=1h,a=2h",
  ])("that promise ages as %s are refused, naming the part", (value) => {
    expect(() => maxAges(value)).toThrow("INDEX_MAX_AGE must be like docs=24h");
  });

  test("say how long versions stand, or that the Worker deletes nothing", () => {
    expect([gcGrace(undefined), gcGrace(""), gcGrace("30m"), gcGrace("2d"), gcGrace("off")]).toEqual([
      86_400_000,
      86_400_000,
      1_800_000,
      172_800_000,
      null,
    ]);
    for (const value of ["29m", "0", "no", "24"]) expect(() => gcGrace(value)).toThrow("GC_GRACE must be");
  });

  test("say for how long a pointer is believed", () => {
    expect([pointerMaxAge(undefined), pointerMaxAge("0"), pointerMaxAge("2.5")]).toEqual([10, 0, 2.5]);
    for (const value of ["soon", "-1", "Infinity"])
      expect(() => pointerMaxAge(value)).toThrow("POINTER_MAX_AGE");
  });

  test("say how long a request looks for an answer, without end where there is one region", () => {
    expect([queryDeadline(undefined, 1), queryDeadline("", 2), queryDeadline("2s", 1)]).toEqual([
      null,
      4000,
      2000,
    ]);
    for (const value of ["2", "0s", "61s", "1h", "soon"])
      expect(() => queryDeadline(value, 2)).toThrow("QUERY_DEADLINE must be 1s to 60s");
  });

  test("say how long what cannot be proven is served", () => {
    expect([maxStale(undefined), maxStale(""), maxStale("90s")]).toEqual([3_600_000, 3_600_000, 90_000]);
    for (const value of ["0s", "1", "-1h", "ever"]) expect(() => maxStale(value)).toThrow("MAX_STALE");
  });

  test("say how much memory indexes may take", () => {
    const mib = 1_048_576;
    expect([residentBudget(undefined), residentBudget(String(mib))]).toEqual([32 * mib, mib]);
    for (const value of ["0", "1e7", "32M", String(65_535), String(128 * mib + 1)])
      expect(() => residentBudget(value)).toThrow("RESIDENT_BYTES must be");
  });

  test("let the inbox be looked at where writes are taken, or told to be taken elsewhere", () => {
    expect([{}, { ADMIN_KEY: "" }, { ADMIN_KEY: "k" }, { INBOX: "read" }].map(readsInbox)).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(() => readsInbox({ INBOX: "yes" })).toThrow('INBOX must be "read"');
  });

  test("that are lists lose spaces and empty parts", () => {
    expect(splitList(" a, ,b,", ",")).toEqual(["a", "b"]);
    expect(splitList(undefined, ",")).toEqual([]);
  });

  test("that hold a key which could not be sent or might be guessed are refused without repeating it", () => {
    expect(AdminKey.from(undefined)).toBeNull();
    expect(AdminKey.from("")).toBeNull();
    for (const key of [
      "short-secret-15",
      "with a space in it.....",
      "x".repeat(513),
      `${"k".repeat(20)}\u00e9`,
    ]) {
      let message = "";
      try {
        AdminKey.from(key);
      } catch (error) {
        message = String(error);
      }
      expect(message).toContain("ADMIN_KEY must be 16 to 512");
      expect(message).not.toContain(key);
    }
    expect(AdminKey.from("0123456789abcdef+/==")).not.toBeNull();
  });
});
