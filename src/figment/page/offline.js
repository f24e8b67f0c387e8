// Drawing without a network, from the first visit on: the service worker keeps what it sees, and what was
// loaded before it was there is kept here.

const STORE = "figment-1"; // that of service-worker.js
let keeping = false;

/** Has the browser keep a site for when there is no network, where it can. */
export async function keepSite(config) {
  if (config.host !== "site" || !isSecureContext || !navigator.serviceWorker) return;
  keeping = !navigator.serviceWorker.controller;
  try {
    await navigator.serviceWorker.register(new URL("service-worker.js", document.baseURI));
    if (!keeping) return;
    const runtime = config.webgpu ? [config.runtime, config.webgpu] : [config.runtime];
    const store = await caches.open(STORE);
    await store.addAll(runtime.map(({ module }) => new URL(module, document.baseURI)));
  } catch {
    keeping = false; // a browser that keeps nothing needs a network
  }
}

/** Keeps the bytes of an address that was loaded past the service worker. */
export async function keep(address, bytes, type) {
  if (!keeping) return;
  try {
    const store = await caches.open(STORE);
    await store.put(address, new Response(bytes, { headers: { "content-type": type } }));
  } catch {
    // There is no room: it is loaded again the next time.
  }
}
