// What is shipped for Prometheus and Grafana: every metric, label and code that it names is one that a running gateway has; its
// expressions and the alerts' own cases are promtool's to check.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { before, test } from "node:test";
import { startWorker } from "../lib/serve.mjs";
import { atEnd, need, root, temporaryFolder } from "./support.mjs";

const ALERTS = "deploy/prometheus/alerts.yml";
const DASHBOARD = "deploy/grafana/dashboard.json";
/** What a gateway counts only once it happens: every code may be there. */
const BY_CODE = "sealgate_refusals_total";

const text = (/** @type {string} */ path) =>
	readFileSync(join(root, path), "utf8");
const dashboard = JSON.parse(text(DASHBOARD));
/** @type {string[]} */
const drawn = dashboard.panels.flatMap((/** @type {any} */ { targets }) =>
	targets.map((/** @type {any} */ { expr }) => expr),
);
/** The names of metrics with their labels, as /metrics has them. @type {Map<string, Set<string>>} */
const known = new Map();

before(async () => {
	const gate = await startWorker({
		runtime: "node",
		settings: { POLICY_NEXT: join(root, "fixtures/demo/policy.json") },
	});
	atEnd(gate.stop);
	for (const image of ["signed", "unsigned"])
		await fetch(`${gate.url}/v2/demo/${image}/manifests/1.0`);
	const metrics = await (await fetch(`${gate.url}/metrics`)).text();
	for (const line of metrics.split("\n")) {
		const [, name, labels = ""] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? [];
		if (name === undefined) continue;
		const names = known.get(name) ?? new Set(["job", "instance"]);
		for (const [, label = "", value = ""] of labels.matchAll(
			/(\w+)="([^"]*)"/g,
		))
			names.add(label).add(`${label}=${value}`);
		known.set(name, names);
	}
});

/** What is named in an expression that no gateway has. @param {string} expression */
function strange(expression) {
	const codes = text("js/codes.d.ts");
	const metrics = [
		...expression.matchAll(/\b(sealgate_\w+)(?:\{([^}]*)\})?/g),
	].flatMap(([, name = "", selectors = ""]) => {
		const labels = known.get(name);
		if (labels === undefined) return [name];
		return [...selectors.matchAll(/(\w+)=(~?)"([^"]*)"/g)].flatMap(
			([, label = "", like = "", value = ""]) => {
				if (!labels.has(label)) return [`${name}{${label}}`];
				if (like !== "" || label === "job") return [];
				const isThere =
					name === BY_CODE
						? codes.includes(`"${value}"`)
						: labels.has(`${label}=${value}`);
				return isThere ? [] : [`${name}{${label}="${value}"}`];
			},
		);
	});
	const all = new Set([...known.values()].flatMap((labels) => [...labels]));
	const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(
		([, names = ""]) => names.split(", ").filter((name) => !all.has(name)),
	);
	return [...metrics, ...grouped];
}

test("what is strange is found", () => {
	assert.deepEqual(
		[
			"sealgate_requests_totals",
			'sealgate_audit{verdict="deny"}',
			'sealgate_decisions_total{verdict="denied"}',
			'sum by (verdicts) (sealgate_refusals_total{code="digest.mismatched"})',
			'sum by (code) (sealgate_refusals_total{code="digest.mismatch", job=~"$job"})',
		].map(strange),
		[
			["sealgate_requests_totals"],
			["sealgate_audit{verdict}"],
			['sealgate_decisions_total{verdict="denied"}'],
			['sealgate_refusals_total{code="digest.mismatched"}', "verdicts"],
			[],
		],
	);
});

test("the alerts and the dashboard name what a gateway has, and nothing that it has is missing there", () => {
	// Without comments and what is said to people.
	const alerts = text(ALERTS).replace(/^\s*#.*$|^\s+summary:.*$/gm, "");
	assert.ok((alerts.match(/\bsealgate_\w+/g) ?? []).length >= 12);
	assert.deepEqual(strange(alerts), []);
	assert.ok(drawn.length >= 15);
	assert.deepEqual(drawn.flatMap(strange), []);
	assert.deepEqual(
		[...known.keys()].filter(
			(name) => !drawn.some((expression) => expression.includes(name)),
		),
		[],
	);
});

test("each alert has its row in docs/monitoring.md, and each row its alert", () => {
	const names = [...text(ALERTS).matchAll(/alert: (\w+)/g)].map(
		([, name]) => name,
	);
	const rows = [
		...text("docs/monitoring.md").matchAll(/^\| (Sealgate\w+) /gm),
	].map(([, name]) => name);
	assert.ok(names.length > 8);
	assert.deepEqual(rows, names);
});

test("the dashboard's panels have a place, a title and a source of their own", () => {
	const { panels, templating } = dashboard;
	assert.deepEqual(
		templating.list.map((/** @type {any} */ { name }) => name),
		["datasource", "job"],
	);
	const taken = new Set();
	for (const {
		id,
		title,
		description,
		datasource,
		gridPos,
		targets,
	} of panels) {
		assert.ok(title && description, String(id));
		for (const { expr, ...target } of targets) {
			assert.match(expr, /job=~"\$job"/, title);
			assert.deepEqual(target.datasource, datasource);
		}
		assert.equal(datasource.uid, ["$", "{datasource}"].join(""));
		for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
			for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
				assert.ok(
					x < 24 && !taken.has(`${x} ${y}`),
					`${title} lies on another`,
				);
				taken.add(`${x} ${y}`);
			}
	}
	const ids = panels.map((/** @type {any} */ { id }) => id);
	assert.equal(new Set(ids).size, ids.length);
});

/** From Debian's `prometheus`, of which nothing else is needed. */
function promtool() {
	const { PATH = "", SEALGATE_CACHE, XDG_CACHE_HOME } = process.env;
	const cache =
		SEALGATE_CACHE ||
		join(XDG_CACHE_HOME || join(homedir(), ".cache"), "sealgate");
	const cached = join(cache, "prometheus/usr/bin/promtool");
	const folders = PATH.split(delimiter);
	return (
		folders
			.map((folder) => join(folder, "promtool"))
			.find((path) => existsSync(path)) ?? need(cached, "run `make promtool`")
	);
}

/** @param {string} folder @param {string[]} args */
function checked(folder, ...args) {
	const { status, stdout, stderr } = spawnSync(promtool(), args, {
		cwd: folder,
		encoding: "utf8",
	});
	return { ok: status === 0, output: `${stdout}${stderr}` };
}

test("promtool reads the alerts, and each fires where it is to and nowhere else", () => {
	const folder = join(root, "deploy/prometheus");
	const read = checked(folder, "check", "rules", "alerts.yml");
	assert.ok(read.ok, read.output);
	const tried = checked(folder, "test", "rules", "alerts.test.yml");
	assert.ok(tried.ok, tried.output);
	const names = [...text(ALERTS).matchAll(/alert: (\w+)/g)].map(
		([, name]) => name,
	);
	// Once where it is not to fire, once where it is.
	const cases = text("deploy/prometheus/alerts.test.yml");
	for (const name of names)
		assert.equal(
			cases.match(new RegExp(`alertname: ${name}\\b`, "g"))?.length,
			2,
		);
});

test("promtool reads every expression of the dashboard", () => {
	const folder = temporaryFolder();
	const rules = (/** @type {string[]} */ expressions) => {
		const list = expressions.map((expression, at) => ({
			record: `panel_${at}`,
			expr: expression.replaceAll("$__rate_interval", "5m"),
		}));
		// JSON is YAML.
		writeFileSync(
			join(folder, "rules.yml"),
			JSON.stringify({ groups: [{ name: "dashboard", rules: list }] }),
		);
		return checked(folder, "check", "rules", "rules.yml");
	};
	const { ok, output } = rules(drawn);
	assert.ok(ok, output);
	assert.ok(!rules([...drawn, "sum by (job (sealgate_audit)"]).ok);
});
