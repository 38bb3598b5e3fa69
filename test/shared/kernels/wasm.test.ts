import { createWasmKernels } from "../../../shared/kernels/wasm.ts";
import { describeKernels } from "../../contract/kernels.ts";
import { builtKernels } from "./built.ts";

const module = await builtKernels();
describeKernels("wasm", (capBytes) => createWasmKernels(module, capBytes));
