// actions/github-script: `core` and nothing else. What an action's JavaScript alone can see on GitHub, the script sees here.
const { appendFileSync } = require("node:fs");
const { randomUUID } = require("node:crypto");

const given = JSON.parse(process.env.ACT_INPUTS);
Object.assign(process.env, {
  ACTIONS_RUNTIME_TOKEN: "double-runtime-token",
  ACTIONS_RESULTS_URL: "http://127.0.0.1:9/",
  ACTIONS_CACHE_SERVICE_V2: "true",
});
const append = (file, name, value) => {
  const end = randomUUID();
  appendFileSync(process.env[file], `${name}<<${end}\n${value}\n${end}\n`);
};
const core = {
  exportVariable: (name, value) => append("GITHUB_ENV", name, value),
  setOutput: (name, value) => append("GITHUB_OUTPUT", name, value),
  setSecret: (value) => console.log(`::add-mask::${value}`),
  info: (text) => console.log(text),
  notice: (text) => console.log(`::notice::${text}`),
  warning: (text) => console.log(`::warning::${text}`),
  setFailed: (text) => {
    console.log(`::error::${text}`);
    process.exitCode = 1;
  },
};
const AsyncFunction = (async () => {}).constructor;
new AsyncFunction("core", given.script)(core).then(
  (result) => result !== undefined && append("GITHUB_OUTPUT", "result", JSON.stringify(result)),
  (error) => core.setFailed(error.message),
);
