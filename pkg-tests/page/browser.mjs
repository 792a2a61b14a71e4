// A browser with a fresh profile in front of a running worker, and everything that a page must not do written down.

import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SCREENS = fileURLToPath(new URL("../../target/screens/", import.meta.url));
const PATHS = { chromium: "/usr/bin/chromium", firefox: "/usr/bin/firefox-esr" };

/** What cannot run here, in words; undefined when everything is there. @param {'chromium' | 'firefox'} name */
export function missing(name) {
  if (!existsSync(PATHS[name])) return `${PATHS[name]} is missing (apt-get install ${name === "firefox" ? "firefox-esr" : "chromium"})`;
  try {
    tools().resolve("puppeteer-core");
  } catch {
    return "puppeteer-core is missing (npm ci in tools/)";
  }
  return undefined;
}

/** @param {'chromium' | 'firefox'} name */
export async function launch(name) {
  const profile = mkdtempSync(join(tmpdir(), `sealgate-${name}-`));
  const puppeteer = /** @type {typeof import('puppeteer-core')} */ (tools()("puppeteer-core"));
  const chromium = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const browser = await puppeteer.launch({
    browser: name === "firefox" ? "firefox" : "chrome",
    executablePath: PATHS[name],
    headless: true,
    userDataDir: profile,
    args: name === "firefox" ? [] : chromium,
  });
  return {
    browser,
    page: () => watchedPage(browser),
    async close() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** @param {import('puppeteer-core').Page} page @param {string} name */
export async function screenshot(page, name) {
  mkdirSync(SCREENS, { recursive: true });
  const path = /** @type {`${string}.png`} */ (join(SCREENS, `${name}.png`));
  await page.screenshot({ path, fullPage: true });
}

/** @param {import('puppeteer-core').Browser} browser */
async function watchedPage(browser) {
  const page = await browser.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`exception: ${error}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.evaluateOnNewDocument(() => {
    /** @type {string[]} */
    const violations = [];
    Object.assign(globalThis, { violations });
    addEventListener("securitypolicyviolation", (event) => violations.push(`${event.effectiveDirective} ${event.blockedURI}`));
  });
  return { page, complaints: async () => [...complaints, ...await page.evaluate(() => /** @type {any} */ (globalThis).violations ?? ["the page was not watched"])] };
}

function tools() {
  return createRequire(new URL("../../tools/package.json", import.meta.url));
}
