// @ts-check
// The page: one field, one result. The fragment is the only state, so that every result has a link, and back and forward work.

import { byId, h } from "./dom.js";
import { block } from "./copy.js";
import { gatewayName, loading, lookUp } from "./lookup.js";
import { forgetPolicy, ownPolicy, takeFiles } from "./policy.js";
import { findReference, readFragment, writeFragment } from "./text.js";
import { card, policyCard, reportBody, verdictCard } from "./view.js";
import { words } from "./words.js";

/** @typedef {import('./lookup.js').Problem} Problem */
/** @typedef {import('./lookup.js').Outcome} Outcome */

const field = /** @type {HTMLInputElement} */ (byId("reference"));
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u;
/** Answers may come out of order; only the last question counts. */
let asked = 0;
/** @type {Promise<Node[] | undefined> | undefined} */
let examplesOnce;

fillWords();
byId("form").addEventListener("submit", (event) => { event.preventDefault(); open(field.value); });
byId("home").addEventListener("click", goHome);
byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment names an image, never a place in the page
  byId("result").focus();
});
addEventListener("hashchange", show);
takeDrops();
takePastes();
show();

/** @param {string} text what somebody typed, pasted or dropped */
function open(text) {
  const reference = findReference(text, location);
  if (!reference) return field.focus();
  const fragment = writeFragment(reference);
  if (location.hash === fragment) return void show();
  location.hash = fragment;
}

async function show() {
  const turn = ++asked;
  const reference = readFragment(location.hash.slice(1)).trim();
  field.value = reference;
  document.body.dataset.view = reference ? "result" : "start";
  byId("examples").hidden = true;
  if (!reference) return start(turn);
  working(reference);
  const outcome = await lookUp(reference, location);
  if (turn !== asked) return;
  try {
    fill(reference, outcome);
  } catch (error) {
    // A report that cannot be shown whole is not shown in part.
    byId("evidence").replaceChildren();
    fill(reference, { problem: { ...words.problem.other, detail: String(error) } });
  }
}

/** @param {number} turn */
async function start(turn) {
  document.title = words.title;
  byId("verdict").replaceChildren();
  byId("evidence").replaceChildren();
  byId("result").removeAttribute("aria-busy");
  const list = await examples();
  if (turn !== asked || !list) return;
  byId("examples").replaceChildren(...list);
  byId("examples").hidden = false;
}

/** @param {string} reference */
function working(reference) {
  byId("result").setAttribute("aria-busy", "true");
  byId("evidence").replaceChildren();
  byId("verdict").replaceChildren(h("p", { class: "sg-working" }, words.working(reference)));
}

/** @param {string} reference @param {Outcome} outcome */
function fill(reference, outcome) {
  if ("problem" in outcome) {
    byId("verdict").replaceChildren(problemCard(reference, outcome.problem));
    document.title = words.pageTitle(outcome.problem.title, reference);
  } else {
    const { report, pull, own } = outcome;
    const secure = location.protocol === "https:";
    byId("verdict").replaceChildren(verdictCard(report, own));
    byId("evidence").replaceChildren(...reportBody(report, { own, reference: pull, link: location.href, secure, loopback: LOOPBACK.test(location.hostname) }));
    document.title = words.pageTitle(words.verdict[report.verdict] ?? words.verdict.unknown, reference);
  }
  byId("result").removeAttribute("aria-busy");
}

/** @param {string} reference @param {Problem} problem */
function problemCard(reference, problem) {
  const more = [
    problem.instead ? h("p", { class: "sg-message" }, ...sentenceWithLink(problem.instead)) : null,
    problem.commandTitle ? h("p", { class: "sg-message" }, problem.commandTitle) : null,
    problem.command ? block(problem.command, problem.command) : null,
    problem.detail ? h("p", { class: "sg-message" }, problem.detail) : null,
    problem.code ? h("p", { class: "sg-code" }, problem.code) : null,
    problem.again ? againButton() : null,
  ];
  return card(problem.tone ?? "unknown", problem.title, reference, problem.text, ...more);
}

/** @param {string} reference */
function sentenceWithLink(reference) {
  const mark = "\u0000"; // no sentence contains it
  const [before = "", after = ""] = words.problem.foreign.instead(mark).split(mark);
  return [before, h("a", { class: "sg-mono", href: writeFragment(reference) }, reference), after];
}

function againButton() {
  const button = h("button", { class: "sg-button sg-button-quiet", type: "button" }, words.again);
  button.addEventListener("click", () => { field.focus(); show(); });
  return button;
}

/** The demo images, if this gateway really stands in front of the demo registry: its own evidence says so. */
function examples() {
  examplesOnce ??= findExamples().catch(() => undefined); // decoration: without it the page is as useful
  return examplesOnce;
}

async function findExamples() {
  /** @type {{ name: string, images: { repository: string, tag: string }[] }} */
  const demo = await (await fetch("/demo.json")).json();
  const first = demo.images[0];
  if (!first || await gatewayName(first.repository, first.tag) !== demo.name) return undefined;
  const cards = demo.images.map(({ repository, tag }) => h("li", {},
    h("a", { class: "sg-example", href: writeFragment(`${location.host}/${repository}:${tag}`) },
      h("span", { class: "sg-mono sg-strong" }, `${repository}:${tag}`), h("span", { class: "sg-example-text" }, words.examples[repository] ?? ""))));
  return [h("h2", { class: "sg-heading", id: "examples-title" }, words.examplesTitle), h("p", { class: "sg-hint" }, words.examplesLead),
    h("ul", { class: "sg-example-list" }, ...cards)];
}

function fillWords() {
  document.documentElement.lang = words.language;
  for (const element of document.querySelectorAll("[data-word]")) {
    const text = words[/** @type {keyof typeof words} */ (element.getAttribute("data-word"))];
    if (typeof text === "string") element.textContent = text;
  }
  byId("host").textContent = words.gateway(location.host);
  field.placeholder = words.placeholder(location.host);
}

/** @param {MouseEvent} event */
function goHome(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  if (location.hash) history.pushState(null, "", "/");
  show();
  field.focus();
}

function takeDrops() {
  let depth = 0; // dragenter and dragleave also fire for every child
  const mark = () => document.body.classList.toggle("sg-dropping", depth > 0);
  addEventListener("dragenter", (event) => { event.preventDefault(); depth += 1; mark(); });
  addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); mark(); });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    mark();
    const text = event.dataTransfer?.getData("text/plain") || event.dataTransfer?.getData("text/uri-list") || "";
    if (text.trim()) return open(text);
    const files = [...event.dataTransfer?.files ?? []];
    if (files.length) judgeBy(files).catch(() => refuseFile(files[0]?.name ?? ""));
  });
}

/** From now on by this policy, and what is shown again by it. @param {File[]} files */
async function judgeBy(files) {
  if (!await takeFiles(await loading, files)) return refuseFile(files[0]?.name ?? "");
  await showPolicy();
  await show();
}

async function showPolicy() {
  const own = ownPolicy(await loading);
  byId("own").hidden = !own;
  byId("own").replaceChildren(...(own ? policyCard(own, () => {
    forgetPolicy();
    showPolicy();
    show();
  }) : []));
}

/** @param {string} name */
function refuseFile(name) {
  asked += 1;
  document.body.dataset.view = "result";
  byId("examples").hidden = true;
  byId("evidence").replaceChildren();
  byId("verdict").replaceChildren(problemCard(name, { ...words.problem.file, tone: "info" }));
}

function takePastes() {
  addEventListener("paste", (event) => {
    if (event.target instanceof HTMLInputElement) return; // there the visitor goes on typing
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text.trim()) open(text);
  });
}
