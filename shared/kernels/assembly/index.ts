// The entry of the compiler: what is exported here is the interface `RawKernels` of ../checked.ts.
export { accumulateRow } from "./rows";
export { blockCodes, scanCodes, scanTables } from "./scan";
export { dotRows } from "./dot";
export { gatherSeen, scatterMax } from "./gather";
export { addPostings } from "./postings";
export { topFloats, topInts } from "./top";
export { countPostings, sumPostings, topPostings } from "./top-postings";
