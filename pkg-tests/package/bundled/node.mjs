import { results } from "./app.mjs";

console.log(JSON.stringify({ results: await results }));
