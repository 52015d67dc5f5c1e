/** What passes between the page and an output frame, structured-cloned over one MessagePort. */
import type { Stroke } from '../../model/shortcut'
import type { Output } from '../../model/wire'
import type { FrameItem } from '../widgets/items'

/**
 * Open: what a run here made, with the whole network. Closed: what came with a file, with none (decision 10). Each is
 * an address of its own, since the server's policy for the document is what closes it.
 */
export type Network = 'open' | 'closed'
export const ADDRESS: Readonly<Record<Network, string>> = { open: '/output.html', closed: '/output-closed.html' }
/** Said by the document itself, so that a frame that went from one to the other is not taken for what it was. */
export const HELLO: Readonly<Record<Network, string>> = { open: 'collegium-output:hello', closed: 'collegium-output:hello-closed' }
export const PORT = 'collegium-output:port'

/**
 * What a key pressed in a frame asks of the page: to have the keyboard back (`run`: because it runs a cell, which no
 * frame may ask for), or a command, by its id, that runs nothing and changes nothing.
 */
export type KeyWish = 'back' | 'run' | `command:${string}`
/** The keys that a frame gives on. */
export interface KeysAsked {
  readonly mac: boolean
  readonly keys: readonly { readonly stroke: Stroke; readonly wish: KeyWish }[]
}

export type ToFrame =
  /** Replace the outputs from `from` on. `preludes`: scripts that earlier cells loaded for the whole notebook. */
  | { readonly kind: 'render'; readonly from: number; readonly outputs: readonly Output[]; readonly preludes: readonly string[] }
  | { readonly kind: 'theme'; readonly theme: 'light' | 'dark' }
  /** What happened to the widgets that the frame shows. */
  | { readonly kind: 'widgets'; readonly items: readonly FrameItem[] }
  | { readonly kind: 'keys'; readonly keys: KeysAsked }
  | { readonly kind: 'answer'; readonly call: number; readonly value?: unknown; readonly error?: string }
  /** Answered at once by one that can. */
  | { readonly kind: 'ping' }

export type FromFrame =
  /** `drawing`: something is still to come, so that it may only be more. */
  | { readonly kind: 'height'; readonly pixels: number; readonly drawing: boolean }
  /** A closed frame wanted something from there, or the person followed a link to it. */
  | { readonly kind: 'refused'; readonly host: string }
  | { readonly kind: 'key'; readonly wish: KeyWish }
  | { readonly kind: 'call'; readonly call: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: 'pong' }
  /** Foreign code is about to run, or has ended. */
  | { readonly kind: 'works'; readonly works: boolean }

/** The same lists as in the frames' own Content-Security-Policy: never allow-same-origin. */
export const SANDBOX: Readonly<Record<Network, string>> = {
  open: 'allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads allow-modals',
  closed: 'allow-scripts',
}
