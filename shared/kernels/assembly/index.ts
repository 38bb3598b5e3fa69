// The entry of the compiler: what is exported here is the interface `RawKernels` of ../checked.ts.
export { accumulateRow } from "./rows";
export { scanCodes } from "./scan";
export { dotRows } from "./dot";
export { addPostings } from "./postings";
export { topFloats, topInts } from "./top";
