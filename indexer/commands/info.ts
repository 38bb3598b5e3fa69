import { loadManifest } from "../../shared/format/load.ts";
import { versionName } from "../../shared/format/names.ts";
import { checkIndexName } from "../../shared/store/keys.ts";
import { readExisting } from "../../shared/versions/current.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { INDEX_OPTION, STORE_OPTION, storeOf } from "./options.ts";

/** `lightedge info`: what an index is made of. */
export const infoCommand: Command = {
  name: "info",
  summary: "Show what an index is made of",
  positionals: { usage: "", least: 0, most: 0 },
  options: { index: INDEX_OPTION, store: STORE_OPTION, json: JSON_OPTION },
  async run(args, output) {
    const store = storeOf(args);
    const name = args.text("index")!;
    checkIndexName(name);
    const { pointer } = await readExisting(store, name);
    const manifest = await loadManifest(store, pointer.manifest);
    const version = versionName(pointer.seq, pointer.manifest.sha256);
    const bytes = manifest.blobs.reduce((sum, blob) => sum + blob.bytes, 0);
    const info = {
      index: name,
      version,
      created: manifest.created,
      parent: manifest.parent,
      model: manifest.model,
      tasks: manifest.tasks,
      fusion: manifest.fusion,
      ...manifest.counts,
      fields: manifest.fields,
      binding: manifest.binding,
      bytes,
      blobs: manifest.blobs,
    };
    output.result(info, () =>
      [
        `${name} ${version}, made ${manifest.created}`,
        `  documents  ${manifest.counts.documents} in ${manifest.counts.chunks} chunks${manifest.counts.rejected > 0 ? `, ${manifest.counts.rejected} rejected` : ""}`,
        `  model      ${manifest.model.name}, ${manifest.model.dimension} dimensions, ${manifest.model.vocabulary} tokens`,
        `  tasks      ${manifest.tasks.map((task) => task.name).join(", ")}`,
        `  fusion     ${manifest.fusion.rule}, dense share ${manifest.fusion.weight}`,
        `  fields     ${manifest.fields.map((field) => `${field.name} (${field.kind})`).join(", ")}`,
        ...manifest.blobs.map(
          (blob) =>
            `  ${blob.role.padEnd(9)}  ${String(blob.bytes).padStart(10)} bytes  ${blob.sha256.slice(0, 16)}`,
        ),
        `  together   ${String(bytes).padStart(10)} bytes`,
      ].join("\n"),
    );
    return 0;
  },
};
