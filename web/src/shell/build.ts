/** Which build of the page this is, and what to do when the server hands out another one. */
import { t } from '../i18n'
import { notify } from '../ui/kit/notify'

const RELOADED = 'collegium/reloaded'
/** A reload that did not help is not tried again soon. */
const AGAIN_AFTER_MS = 5 * 60_000

/** A build is called what its first script is called, whose hash follows from all the others. */
const named = (text: string): string => /\/assets\/([\w-]+)\.js/.exec(text)?.[1] ?? ''
/** The build of this page; empty while it is developed. */
export const build = (): string => named(document.querySelector<HTMLScriptElement>('script[type=module]')?.src ?? '')

let told = ''

/** The server says which build it hands out: offer it, once. */
export function served(offered: string): void {
  if (import.meta.env.DEV || offered === '' || offered === told || offered === build()) return
  told = offered
  notify({ title: t('A new version is ready'), detail: t('Reload when it suits you. What you typed stays.'), stays: true, action: { label: t('Reload'), run: () => location.reload() } })
  void navigator.serviceWorker?.getRegistration().then((registration) => registration?.update())
}

/** Load the page again because it cannot go on as it is; false when that was done a moment ago, and did not help. */
export function reloadOnce(): boolean {
  if (Date.now() - Number(sessionStorage.getItem(RELOADED) ?? 0) < AGAIN_AFTER_MS) return false
  sessionStorage.setItem(RELOADED, String(Date.now()))
  location.reload()
  return true
}

/** This page and the server do not speak the same protocol. */
export function outdated(): void {
  if (reloadOnce() || told === 'outdated') return
  told = 'outdated'
  notify({ title: t('This page and the server are of different versions'), detail: t('Loading it again did not help. What you type is kept in this browser until they understand each other.'), kind: 'bad' })
}

/** A part of this build is not to be had: if the server has moved on to another, so does the page. */
export async function missed(): Promise<void> {
  const answer = await fetch('/', { cache: 'no-cache' })
  if (answer.ok && named(await answer.text()) !== build()) reloadOnce()
}

/** From now on the page can be loaded again without a network. */
export function keepShell(): void {
  if (!import.meta.env.DEV) void navigator.serviceWorker?.register('/sw.js', { updateViaCache: 'none' }).catch(() => undefined)
}
