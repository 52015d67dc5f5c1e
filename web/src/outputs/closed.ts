/** Whether saved scripts may be drawn before anybody asked: where the browser closes their frame, and lived through it. */
import type { NotebookId } from '../model/wire'

/**
 * The first Chromium that was seen to keep a document to its Connection-Allowlist (tests/journeys/test_hostile_outputs.py
 * looks again). Elsewhere a script in a closed frame could still speak by WebRTC, so there it waits for a click.
 */
const CHROMIUM_MIN = 156

export function keepsClosed(agent: string = navigator.userAgent): boolean {
  const version = /Chrom(?:e|ium)\/(\d+)/.exec(agent)?.[1]
  return version !== undefined && Number(version) >= CHROMIUM_MIN
}

const began = new Map<NotebookId, boolean>()

/**
 * Notes that saved scripts are about to be drawn. False: the last time, in this tab, the page did not live to see its
 * end, so a script may have brought the browser down; then it must not happen again by itself.
 */
export function begins(notebook: NotebookId): boolean {
  const known = began.get(notebook)
  if (known !== undefined) return known
  const key = `collegium/drawing/${notebook}`
  let lived = true
  try {
    lived = sessionStorage.getItem(key) === null
    sessionStorage.setItem(key, '1')
    addEventListener('pagehide', () => sessionStorage.removeItem(key))
  } catch {
    // Storage may be denied to this page: then nothing is known of the last time.
  }
  began.set(notebook, lived)
  return lived
}
