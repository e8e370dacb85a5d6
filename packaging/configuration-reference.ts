/**
 * Writes the configuration reference for people from the JSON schema: every setting with its form, default and meaning,
 * in the order of the schema. Knows JSON schema as zod writes it, and no setting by name.
 */

export interface SettingSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly pattern?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SettingSchema>>;
  readonly additionalProperties?: boolean | SettingSchema;
  readonly items?: SettingSchema;
  readonly anyOf?: readonly SettingSchema[];
  readonly oneOf?: readonly SettingSchema[];
}

interface Row {
  readonly path: string;
  readonly form: string;
  readonly standard: string;
  readonly meaning: string;
}

/** `schema`: the whole configuration's. One section per setting at the top. */
export function configurationReference(schema: SettingSchema): string {
  const sections = Object.entries(schema.properties ?? {})
    .filter(([name]) => name !== "$schema")
    .map(([name, setting]) => section(name, setting, isRequired(schema, name)));
  return `# Configuration

Every setting, written by \`npm run reference\` from \`freebusy.schema.json\`; a test holds the two together. \`name\` in a path is
any name, \`[]\` one of a list. **Bold** settings have to be given where what they stand in is. A secret is a reference,
\`env:NAME\` or \`file:/path\`. Rules between settings are not here: \`freebusy check --config FILE\` knows them all and says
everything that is wrong at once.

${sections.join("\n")}`;
}

function section(name: string, setting: SettingSchema, required: boolean): string {
  const rows = rowsOf(name, setting, required);
  const [own, ...inner] = rows as [Row, ...Row[]];
  const shown = inner.length === 0 ? [own] : inner;
  const about =
    inner.length === 0 ? "" : [own.meaning, own.standard && `Default: ${own.standard}.`].filter(Boolean).join(" ");
  const table = shown.map(({ path, form, standard, meaning }) => `| ${path} | ${form} | ${standard} | ${meaning} |`);
  return `## ${name}\n\n${about === "" ? "" : `${about}\n\n`}| Setting | Form | Default | Meaning |\n| --- | --- | --- | --- |\n${table.join("\n")}\n`;
}

function rowsOf(path: string, setting: SettingSchema, required: boolean, kind = ""): Row[] {
  const shown = required ? `**\`${path}\`**` : `\`${path}\``;
  const own: Row = {
    path: kind === "" ? shown : `${shown} (${kind})`,
    form: formOf(setting),
    standard: standardOf(setting.default),
    meaning: inTable(setting.description ?? ""),
  };
  return [own, ...innerRows(path, setting, kind)];
}

function innerRows(path: string, setting: SettingSchema, kind: string): Row[] {
  const { properties = {}, additionalProperties, items } = setting;
  const rows = Object.entries(properties).flatMap(([name, inner]) =>
    rowsOf(`${path}.${name}`, inner, isRequired(setting, name), kind),
  );
  if (typeof additionalProperties === "object") rows.push(...variantRows(`${path}.name`, additionalProperties, kind));
  if (items !== undefined) rows.push(...variantRows(`${path}[]`, items, kind));
  for (const variant of variantsOf(setting)) {
    const own = kindOf(variant);
    // Where nothing tells which of several is meant, no setting of one has to be given.
    rows.push(...(own === "" ? innerRows(path, { ...variant, required: [] }, kind) : innerRows(path, variant, own)));
  }
  return rows;
}

/** A list's or a map's members, themselves without a row when they only hold settings. */
function variantRows(path: string, setting: SettingSchema, kind: string): Row[] {
  const holdsSettings = setting.properties !== undefined || variantsOf(setting).some(({ properties }) => properties);
  return holdsSettings ? innerRows(path, setting, kind) : [];
}

const variantsOf = ({ anyOf = [], oneOf = [] }: SettingSchema) => [...anyOf, ...oneOf];
const isRequired = ({ required = [] }: SettingSchema, name: string) => required.includes(name);

/** What tells a variant from the others: its `type` or `scheme`. */
function kindOf({ properties = {} }: SettingSchema): string {
  const mark = Object.entries(properties).find(([, { const: fixed }]) => fixed !== undefined);
  return mark === undefined ? "" : `${mark[0]}: ${mark[1].const}`;
}

function formOf(setting: SettingSchema): string {
  const { type, enum: choices, const: fixed, items } = setting;
  if (fixed !== undefined) return `\`${fixed}\``;
  if (choices !== undefined) return choices.map((one) => `\`${one}\``).join(", ");
  const variants = variantsOf(setting);
  if (variants.length > 0) return [...new Set(variants.map(formOf))].join(" or ");
  if (type === "array") return `list of ${items === undefined ? "anything" : formOf(items)}`;
  if (type === "object") return "settings";
  if (type === "string") return "text";
  if (type === "boolean") return "`true`, `false`";
  return `${type === "integer" ? "whole number" : "number"}${rangeOf(setting)}`;
}

function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: SettingSchema): string {
  const least = minimum ?? exclusiveMinimum;
  const most = maximum ?? exclusiveMaximum;
  const isUnbounded = most === undefined || most >= Number.MAX_SAFE_INTEGER;
  if (least === undefined && isUnbounded) return "";
  return isUnbounded ? `, at least ${least}` : ` ${least ?? ""}–${most}`;
}

function standardOf(value: unknown): string {
  const isNothing =
    value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
  return isNothing ? "" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

const inTable = (text: string) => text.replaceAll("|", "\\|").replace(/\s+/g, " ");
