/**
 * What stands for Docker Hub: a registry with its name in the DNS and with a certificate, for clients that are told nothing of it and
 * go there by themselves. On loopback, at addresses that nobody else uses; port 53 and 443 are root's.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import { run } from "./peers.mjs";

const NAME = "registry-1.docker.io";
const HUB = [127, 0, 0, 77];
const DNS = "127.0.0.78";

/**
 * @param {string} upstream the registry that it is, `http://host:port`
 * @param {string} folder for files
 */
export async function startHub(upstream, folder) {
	const [key, certificate] = [join(folder, "hub.key"), join(folder, "hub.pem")];
	await run("openssl", [
		...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
		...["-subj", `/CN=${NAME}`, "-addext", `subjectAltName=DNS:${NAME}`],
		...["-keyout", key, "-out", certificate],
	]);
	/** @type {string[]} */
	const log = [];
	const server = createServer(
		{ key: await readFile(key), cert: await readFile(certificate) },
		(asked, response) => {
			log.push(`${asked.method} ${asked.url}`);
			const { method, headers } = asked;
			const sent = request(
				`${upstream}${asked.url}`,
				{ method, headers: { ...headers, host: new URL(upstream).host } },
				(answer) => {
					response.writeHead(answer.statusCode ?? 502, answer.headers);
					answer.pipe(response);
				},
			);
			sent.on("error", () => response.destroy());
			sent.end();
		},
	);
	server.listen(443, HUB.join("."));
	await once(server, "listening");

	const resolver = createSocket("udp4");
	resolver.on("message", (message, { port, address }) =>
		resolver.send(answerTo(message), port, address),
	);
	resolver.bind(53, DNS);
	await once(resolver, "listening");
	const resolv = join(folder, "resolv.conf");
	await writeFile(resolv, `nameserver ${DNS}\n`);
	return {
		/** What it was asked for. */
		log,
		/** For clients, whose files these are then, with these lines in their `/etc/hosts`. @param {string} lines */
		async nodes(lines) {
			const hosts = join(folder, `hosts-${Math.random()}`);
			await writeFile(hosts, `127.0.0.1 localhost\n${lines}`);
			return {
				mounts: { "/etc/hosts": hosts, "/etc/resolv.conf": resolv },
				env: { SSL_CERT_FILE: certificate },
			};
		},
		async stop() {
			resolver.close();
			server.close();
			server.closeAllConnections();
			await once(server, "close");
		},
	};
}

/** The hub's IPv4 address for its name; nothing else exists. @param {Buffer} message a query (RFC 1035 section 4) */
function answerTo(message) {
	const labels = [];
	let at = 12;
	for (let size = message[at] ?? 0; size > 0; size = message[at] ?? 0) {
		labels.push(message.toString("latin1", at + 1, at + 1 + size));
		at += 1 + size;
	}
	const question = message.subarray(12, at + 5);
	const known = labels.join(".").toLowerCase() === NAME;
	const found = known && question.readUInt16BE(question.length - 4) === 1;
	const head = Buffer.from([0, 0, 0x81, known ? 0x80 : 0x83]);
	message.copy(head, 0, 0, 2);
	const counts = Buffer.from([0, 1, 0, found ? 1 : 0, 0, 0, 0, 0]);
	const answer = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...HUB];
	return Buffer.concat([
		...[head, counts, question],
		...(found ? [Buffer.from(answer)] : []),
	]);
}
