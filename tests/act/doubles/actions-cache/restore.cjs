// Hands over to cache.py: a composite action has no post step, so the double of actions/cache is JavaScript.
const { spawnSync } = require("node:child_process");

const env = { ...process.env, PYTHONPATH: process.env.ACT_TESTS };
const command = ["-P", "-m", "tests.act.doubles.cache", "restore"];
process.exit(spawnSync(process.env.ACT_PYTHON, command, { env, stdio: "inherit" }).status ?? 1);
