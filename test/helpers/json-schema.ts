/** As much of JSON Schema as our API description uses: enough to hold real answers against it. */

type Schema = Readonly<Record<string, unknown>>;

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
  array: Array.isArray,
  object: isObject,
};

/** What breaks the schema, one sentence each with the place; empty where nothing does. */
export function schemaErrors(value: unknown, schema: Schema, root: Schema, where = "$"): readonly string[] {
  if (typeof schema.$ref === "string") return schemaErrors(value, resolve(schema.$ref, root), root, where);
  const errors: string[] = [];
  const types = [schema.type ?? []].flat() as string[];
  if (types.length > 0 && !types.some((type) => TYPES[type]!(value)))
    errors.push(`${where} is no ${types.join(" or ")}`);
  if ("const" in schema && value !== schema.const) errors.push(`${where} is not ${schema.const}`);
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) errors.push(`${where} is not listed`);
  if (Array.isArray(schema.anyOf)) {
    const outcomes = (schema.anyOf as Schema[]).map((one) => schemaErrors(value, one, root, where));
    if (!outcomes.some(({ length }) => length === 0)) errors.push(...outcomes.flat());
  }
  if (typeof value === "number" && typeof schema.minimum === "number" && value < schema.minimum)
    errors.push(`${where} is below ${schema.minimum}`);
  if (Array.isArray(value) && isObject(schema.items)) {
    const items = schema.items as Schema;
    errors.push(...value.flatMap((item, at) => schemaErrors(item, items, root, `${where}[${at}]`)));
  }
  if (isObject(value)) errors.push(...objectErrors(value, schema, root, where));
  return errors;
}

function objectErrors(
  value: Readonly<Record<string, unknown>>,
  schema: Schema,
  root: Schema,
  where: string,
): readonly string[] {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, Schema>>;
  const missing = ((schema.required ?? []) as string[]).filter((name) => !(name in value));
  const inside = Object.entries(value).flatMap(([name, item]) => {
    const known = properties[name] ?? schema.additionalProperties;
    if (known === false) return [`${where}.${name} is not described`];
    return isObject(known) ? schemaErrors(item, known, root, `${where}.${name}`) : [];
  });
  return [...missing.map((name) => `${where}.${name} is missing`), ...inside];
}

function resolve(reference: string, root: Schema): Schema {
  const path = reference.replace("#/", "").split("/");
  const found = path.reduce<unknown>((at, name) => (isObject(at) ? at[name] : undefined), root);
  if (isObject(found)) return found;
  throw new Error(`${reference} leads nowhere.`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
