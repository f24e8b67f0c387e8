// Keeps what the page has loaded, so that it draws without a network, too.
//
// The page itself is asked for again each time and taken from the store where nobody answers. Models
// and the runtime never change under one address, whose query has their hash: the store has them at once.

const STORE = "figment-1";
const PAGE = []; // the page's own files, as figment.page.files lists them
const LASTING = /\.(onnx|wasm)$|\/runtime\//;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(["./", ...PAGE])));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith(LASTING.test(new URL(request.url).pathname) ? stored(request) : fresh(request));
});

async function stored(request) {
  const store = await caches.open(STORE);
  return (await store.match(request)) ?? kept(store, request);
}

async function fresh(request) {
  const store = await caches.open(STORE);
  try {
    return await kept(store, request);
  } catch (error) {
    const found = await store.match(request);
    if (found) return found;
    throw error;
  }
}

async function kept(store, request) {
  const answer = await fetch(request);
  if (answer.ok) await store.put(request, answer.clone());
  return answer;
}
