import { MemoryStore } from "../../../shared/store/memory.ts";
import { describeStore } from "../../contract/store.ts";

describeStore("MemoryStore", async () => new MemoryStore());
