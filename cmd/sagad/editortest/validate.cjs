// Reads YAML and validates it with ajv, in strict mode. On standard input stands
// {"schema": {...}, "strict": {...}, "texts": ["..."]}, or {"sarif": true, "texts": ["..."]}
// for the schema of the SARIF standard; on standard output comes for
// each text {"data": ..., "problems": ["..."]}, or {"unreadable": "..."}.
//
//   node validate.cjs FOLDER    the folder that holds node_modules
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");

const load = createRequire(process.argv[2] + "/");
const addFormats = load("ajv-formats").default;
const YAML = load("yaml");

const { sarif, strict, texts, ...request } = JSON.parse(readFileSync(0, "utf8"));
const Ajv = load(sarif ? "ajv-draft-04" : "ajv/dist/2020").default; // the standard's is of draft 4
const schema = sarif ? load("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json") : request.schema;
const ajv = new Ajv({ strict: !sarif, unicodeRegExp: !sarif, validateFormats: true, allErrors: true, ...strict });
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
