import { results } from "./app.mjs";

globalThis.results = await results;
