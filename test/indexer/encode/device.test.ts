/** The choice of a device, and what those say that are not here. What is here differs from machine to machine. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  DEVICES,
  firstLine,
  installedOffer,
  isOutOfMemory,
  type Offer,
  openGraph,
  providersFor,
} from "../../../indexer/encode/device.ts";
import { lightedge } from "../../helpers/command-line.ts";
import { WITH_IMPACTS, withSmallEncoder } from "../../helpers/small-graphs.ts";

const FOLDER = fileURLToPath(new URL("../../fixtures/graphs", import.meta.url));
const GRAPH = join(FOLDER, "good.onnx");
/** As onnxruntime-node is installed on Linux x64 with its scripts, and without. */
const WITH_CUDA: Offer = {
  backends: ["cpu", "webgpu", "cuda", "tensorrt"],
  libraries: [
    "napi-v6/linux/x64/libonnxruntime.so.1",
    "napi-v6/linux/x64/libonnxruntime_providers_cuda.so",
    "napi-v6/linux/x64/libonnxruntime_providers_shared.so",
    "napi-v6/linux/x64/libonnxruntime_providers_tensorrt.so",
  ],
};
const BARE: Offer = { ...WITH_CUDA, libraries: WITH_CUDA.libraries.slice(0, 1) };
const MAC: Offer = { backends: ["cpu", "coreml", "webgpu"], libraries: ["libonnxruntime.1.dylib"] };

describe("the device", () => {
  it("that nobody named is cuda where it is installed, with the cpu behind it, and nothing experimental", () => {
    expect(providersFor("auto", WITH_CUDA)).toEqual(["cuda", "cpu"]);
    expect(providersFor("auto", BARE)).toEqual(["cpu"]);
    expect(providersFor("auto", MAC)).toEqual(["cpu"]);
  });

  it("that was named is that one and no other", () => {
    for (const device of ["cuda", "tensorrt", "webgpu", "cpu"] as const)
      expect(providersFor(device, WITH_CUDA)).toEqual([device]);
    expect(providersFor("webgpu", BARE)).toEqual(["webgpu"]);
  });

  it("that was named and is not installed is refused, with what is missing and what it needs", () => {
    for (const [device, offer, words] of [
      [
        "cuda",
        BARE,
        /^--device cuda cannot be used here: its library onnxruntime_providers_cuda is not installed.+CUDA 12/u,
      ],
      ["tensorrt", BARE, /its library onnxruntime_providers_tensorrt is not installed.+TensorRT 10/u],
      ["cuda", MAC, /the installed onnxruntime-node has cpu, coreml, webgpu and not cuda/u],
      ["tensorrt", MAC, /and not tensorrt/u],
    ] as const)
      expect(() => providersFor(device, offer), device).toThrow(
        expect.objectContaining({
          code: "device/unavailable",
          message: expect.stringMatching(words),
          details: { field: "device", value: device },
        }),
      );
  });
});

describe("a graph", () => {
  it.each(DEVICES)("is opened on %s, or the device says why not", async (device) => {
    const opened = await openGraph(GRAPH, device, 1).catch((error: unknown) => error);
    if (opened instanceof Error) {
      // The CPU is everywhere, so neither it nor auto may fail.
      expect(["auto", "cpu"]).not.toContain(device);
      expect(opened).toMatchObject({
        code: "device/unavailable",
        message: expect.stringMatching(
          new RegExp(`^--device ${device} cannot be used here: .+ needs .+\\.$`, "su"),
        ),
      });
      return;
    }
    const { session, provider, fellBack } = opened as Awaited<ReturnType<typeof openGraph>>;
    expect(session.outputNames).toEqual(["hidden", "impacts"]);
    if (device !== "auto") expect([provider, fellBack]).toEqual([device, null]);
    await session.release();
  });

  it.each(["cuda", "tensorrt", "webgpu"] as const)(
    "gives on %s, where there is one, what it gives on the cpu",
    async (device) => {
      const texts = ["river sea", "moon", "find the endless river moon sea"];
      const wanted = { role: "document", task: "search", dense: true, sparse: true } as const;
      const on = (each: typeof device | "cpu") =>
        withSmallEncoder("good", WITH_IMPACTS, (encoder) => encoder.encode(texts, wanted), { device: each });
      const found = await on(device).catch((error: unknown) => error);
      if (found instanceof Error) expect(found).toMatchObject({ code: "device/unavailable" });
      else expect(found).toEqual(await on("cpu"));
    },
  );

  it("is opened from its bytes as from its file", async () => {
    const { session, provider } = await openGraph({ bytes: readFileSync(GRAPH), folder: FOLDER }, "cpu", 1);
    expect([provider, session.inputNames]).toEqual(["cpu", ["input_ids", "attention_mask"]]);
    await session.release();
  });

  it("that is none is the model's fault, not the device's", async () => {
    const file = join(FOLDER, "make.py");
    await expect(openGraph(file, "cpu", 1)).rejects.toMatchObject({
      code: "model/invalid",
      message: expect.stringContaining(`onnxruntime cannot load ${file}: `),
      details: { file },
    });
  });
});

describe("an error of onnxruntime", () => {
  it("is known to be of memory by its words, on whatever device", () => {
    for (const words of [
      "Non-zero status code returned while running MatMul node. Status Message: Failed to allocate memory for requested buffer of size 4294967296",
      "CUDA failure 2: out of memory ; GPU=0 ; hostname=node ; file=cuda_allocator.cc",
      "BFC Arena ran out of memory trying to allocate 1024",
      "std::bad_alloc",
    ])
      expect(isOutOfMemory(new Error(words)), words).toBe(true);
    for (const words of ["indices element out of data bounds", "no available backend found. ERR: [dml]"])
      expect(isOutOfMemory(new Error(words)), words).toBe(false);
  });

  it("is told in one line, without the place in onnxruntime's source", () => {
    const text =
      "/onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 12.\nmore";
    expect(firstLine(new Error(text))).toBe("Failed to allocate memory for requested buffer of size 12");
    expect(firstLine("")).toBe("nothing");
  });
});

describe("the command line", () => {
  it("takes the devices there are and whole numbers of tokens, and says which", async () => {
    const wrong = await lightedge("index", "x.jsonl", "--index", "x", "--device", "gpu");
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining(DEVICES.join(", ")) });
    const none = await lightedge("index", "x.jsonl", "--index", "x", "--batch-tokens", "0");
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("--batch-tokens") });
  });

  it("sees what is installed", () => {
    const { backends, libraries } = installedOffer();
    expect(backends).toContain("cpu");
    expect(libraries.some((name) => /onnxruntime/u.test(name))).toBe(true);
  });
});
