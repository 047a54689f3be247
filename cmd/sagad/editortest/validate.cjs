// Reads YAML and validates it with ajv, in strict mode. On standard input stands
// {"schema": {...}, "strict": {...}, "texts": ["..."]}; on standard output comes for
// each text {"data": ..., "problems": ["..."]}, or {"unreadable": "..."}.
//
//   node validate.cjs FOLDER    the folder that holds node_modules
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");

const load = createRequire(process.argv[2] + "/");
const Ajv = load("ajv/dist/2020").default;
const addFormats = load("ajv-formats").default;
const YAML = load("yaml");

const { schema, strict, texts } = JSON.parse(readFileSync(0, "utf8"));
const ajv = new Ajv({ strict: true, validateFormats: true, allErrors: true, ...strict });
addFormats(ajv);
const validate = ajv.compile(schema);

function check(text) {
  let data;
  try {
    data = YAML.parse(text, { maxAliasCount: 0, logLevel: "error" });
  } catch (e) {
    return { unreadable: e.message };
  }
  const problems = validate(data) ? [] : validate.errors.map((e) => `${e.instancePath || "/"} ${e.message}`);
  return { data, problems };
}

process.stdout.write(JSON.stringify(texts.map(check)));
