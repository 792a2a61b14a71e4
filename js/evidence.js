// What a sealgate gateway shows of an image that it refused to serve (GET /api/evidence/…). Only carried: the core judges.

import { codedError } from "./error.js";

/** @typedef {import("./task.js").Fetcher} Fetcher */
/** @typedef {{ username: string, password: string } | { token: string }} Credentials */

/** What the core reads of one at most. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_TOKEN_BYTES = 1024 * 1024;

/**
 * @param {import("./index.d.ts").Reference} reference as it was asked for
 * @param {{ plainHttp?: boolean, credentials?: Credentials }} options
 * @param {Fetcher} fetch
 * @returns {Promise<{ bytes: Uint8Array, name: string | undefined }>}
 */
export async function readEvidence({ domain, path, tag, digest }, { plainHttp, credentials }, fetch) {
  const scheme = plainHttp || isLoopback(domain) ? "http" : "https";
  const url = `${scheme}://${domain}/api/evidence/${path}?ref=${encodeURIComponent(digest ?? tag ?? "latest")}`;
  let response = await ask(url, {}, MAX_BYTES, fetch);
  if (response.status === 401) {
    const authorization = await authorize(response.headers, { plainHttp, credentials }, fetch);
    if (authorization) response = await ask(url, { authorization }, MAX_BYTES, fetch);
  }
  if (response.status !== 200) {
    const found = `expected the evidence of the refused image (status 200), found status ${response.status}`;
    throw codedError("evidence.status", `${url}: ${found}; ask the gateway's operator, or verify against the registry behind it`);
  }
  return { bytes: response.body, name: nameIn(response.body) };
}

/** @param {string} url @param {Record<string, string>} headers @param {number} maxBytes @param {Fetcher} fetch */
async function ask(url, headers, maxBytes, fetch) {
  const answer = await fetch({ method: "GET", url, headers: Object.entries(headers), maxBytes }, new AbortController().signal);
  if ("error" in answer) throw codedError(`evidence.${answer.error.kind}`, `${url}: ${answer.error.message}`);
  return answer.response;
}

/**
 * What answers a challenge, if anything can.
 *
 * @param {[string, string][]} headers
 * @param {{ plainHttp?: boolean, credentials?: Credentials }} options
 * @param {Fetcher} fetch
 */
async function authorize(headers, { plainHttp, credentials }, fetch) {
  const challenge = headers.find(([name]) => name.toLowerCase() === "www-authenticate")?.[1] ?? "";
  const basic = credentials && "username" in credentials ? `Basic ${base64(`${credentials.username}:${credentials.password}`)}` : undefined;
  if (/^basic\b/i.test(challenge)) return basic;
  const parameters = [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]);
  const { realm, service, scope } = Object.fromEntries(parameters);
  if (!/^bearer\b/i.test(challenge) || !URL.canParse(realm)) return undefined;

  const url = new URL(realm);
  if (url.protocol !== "https:" && !plainHttp && !isLoopback(url.host)) return undefined;
  if (service) url.searchParams.set("service", service);
  if (scope) url.searchParams.set("scope", scope);
  const asked = () => ask(url.href, basic ? { authorization: basic } : {}, MAX_TOKEN_BYTES, fetch);
  const answer = await (credentials && "token" in credentials ? exchange(url, credentials.token, fetch) : asked());
  if (answer.status !== 200) return undefined;
  const { token, access_token } = parseJson(answer.body) ?? {};
  return typeof (token ?? access_token) === "string" ? `Bearer ${token ?? access_token}` : undefined;
}

/** An identity token is exchanged by POST, as docker does. @param {URL} realm @param {string} refreshToken @param {Fetcher} fetch */
async function exchange(realm, refreshToken, fetch) {
  const body = new URLSearchParams(realm.searchParams);
  body.set("grant_type", "refresh_token");
  body.set("client_id", "sealgate");
  body.set("refresh_token", refreshToken);
  const url = realm.origin + realm.pathname;
  /** @type {[string, string][]} */
  const headers = [["content-type", "application/x-www-form-urlencoded"]];
  const answer = await fetch({ method: "POST", url, headers, body: body.toString(), maxBytes: MAX_TOKEN_BYTES }, new AbortController().signal);
  if ("error" in answer) throw codedError(`evidence.${answer.error.kind}`, `${url}: ${answer.error.message}`);
  return answer.response;
}

/** @param {Uint8Array} body */
function nameIn(body) {
  const name = parseJson(body)?.name;
  return typeof name === "string" ? name : undefined;
}

/** @param {Uint8Array} body */
function parseJson(body) {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

/** @param {string} host with or without port */
function isLoopback(host) {
  const name = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

/** @param {string} text */
function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
