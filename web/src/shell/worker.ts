/// <reference lib="webworker" />
/** Serves the page when the server cannot: its own files alone, never an answer of the API. Runs as /sw.js. */
export {}
declare const self: ServiceWorkerGlobalScope
/** Written in by the build. */
declare const __SHELL__: { readonly build: string; readonly files: readonly string[] }

const { build, files } = __SHELL__
const PREFIX = 'collegium/'
const HERE = `${PREFIX}${build}`
const PAGE = '/'
/** A tab that is still open may ask for parts of the builds before this one. */
const EARLIER_MAX = 2
const LANES = 3
const PATIENCE_MS = 8000
/** A proxy's word for a server that is not there. */
const AWAY = new Set([502, 503, 504])
const NO_PAGE = /^\/(api|jupyter|assets|healthz|readyz|metrics|output(-closed)?\.html|sw\.js)(\/|$)/
const ANY = { ignoreVary: true }

self.addEventListener('install', (event) => event.waitUntil(install()))
self.addEventListener('activate', (event) => event.waitUntil(activate()))
self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (pathname.startsWith('/assets/')) event.respondWith(asset(request))
  else if (request.mode === 'navigate' && !NO_PAGE.test(pathname)) event.respondWith(page(event))
})

async function install(): Promise<void> {
  const cache = await caches.open(HERE)
  const index = await fetch(PAGE, { cache: 'no-cache' })
  if (!index.ok || !(await index.clone().text()).includes(build)) throw new Error('The server has another build by now.')
  await cache.put(PAGE, index)
  const left = [...files]
  const lane = async () => {
    for (let file = left.pop(); file !== undefined; file = left.pop()) {
      const answer = (await caches.match(file, ANY)) ?? (await fetch(file))
      if (!answer.ok) throw new Error(`${file} is not there.`)
      await cache.put(file, answer)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  // It hands out the network's page wherever there is one, so there is nothing to wait for.
  await self.skipWaiting()
}

async function activate(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== HERE)
  await Promise.all(names.slice(0, Math.max(0, names.length - EARLIER_MAX)).map((name) => caches.delete(name)))
  await self.registration.navigationPreload?.enable()
  await self.clients.claim()
}

/** A name holds the hash of its content, so any build's copy is the right one. */
async function asset(request: Request): Promise<Response> {
  const kept = await caches.match(request, ANY)
  if (kept) return kept
  const answer = await fetch(request)
  if (answer.ok) await (await caches.open(HERE)).put(request, answer.clone()).catch(() => undefined)
  return answer
}

/** The server's page if it answers in time, so that nobody is given an old one without need. */
async function page(event: FetchEvent): Promise<Response> {
  const patience = new Promise<undefined>((over) => setTimeout(over, PATIENCE_MS))
  const asked = (async () => ((await event.preloadResponse) as Response | undefined) ?? fetch(event.request))()
  const answer = await Promise.race([asked.catch(() => undefined), patience])
  if (answer && !AWAY.has(answer.status)) return answer
  const cache = await caches.open(HERE)
  return (await cache.match(PAGE, ANY)) ?? asked
}
