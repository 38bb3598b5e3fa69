/**
 * Stores that are looked through from pointer to postings when a test is over, whatever the test itself asked: the
 * habit of Lucene's own tests, where every directory is checked when it is closed. A test that
 * damages a store on purpose works on a copy.
 */
import { afterAll, afterEach, expect } from "vitest";
import { checkStore } from "../../indexer/check-store.ts";
import type { WriteStore } from "../../shared/store/store.ts";

const watched = new Set<WriteStore>();
const fresh = new Set<WriteStore>();

/** Has a store checked after this test, and once more after the last one of the file. */
export function watchStore(store: WriteStore): void {
  watched.add(store);
  fresh.add(store);
}

async function checkAll(stores: Set<WriteStore>): Promise<void> {
  const all = [...stores];
  stores.clear();
  for (const store of all) expect((await checkStore(store)).problems).toEqual([]);
}

afterEach(() => checkAll(fresh));
afterAll(() => checkAll(watched));
