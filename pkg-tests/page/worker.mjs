// The worker that the page tests talk to: one that already runs (SEALGATE_URL), or one of their own.

/** @returns {Promise<{ url: string, stop(): unknown }>} */
export async function startWorker() {
	if (process.env.SEALGATE_URL)
		return { url: process.env.SEALGATE_URL, stop() {} };
	const serve = await import("../lib/serve.mjs");
	return serve.startWorker();
}
