const { readFileSync } = require("node:fs");
const sealgate = require("sealgate");

import("./checks.mjs").then(async ({ runChecks }) => {
  const results = await runChecks(sealgate, JSON.parse(readFileSync("demo.json", "utf8")));
  console.log(JSON.stringify({ results }));
});
