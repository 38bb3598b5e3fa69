import { createReferenceKernels } from "../../../shared/kernels/reference.ts";
import { describeKernels } from "../../contract/kernels.ts";

describeKernels("reference", createReferenceKernels);
