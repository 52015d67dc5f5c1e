/** What passes between the page and an output frame, structured-cloned over one MessagePort. */
import type { Output } from '../../model/wire'

export const HELLO = 'collegium-output:hello'
export const PORT = 'collegium-output:port'

export type ToFrame =
  /** Replace the outputs from `from` on. `preludes`: scripts that earlier cells loaded for the whole notebook. */
  | { readonly kind: 'render'; readonly from: number; readonly outputs: readonly Output[]; readonly preludes: readonly string[] }
  | { readonly kind: 'theme'; readonly theme: 'light' | 'dark' }
  | { readonly kind: 'answer'; readonly call: number; readonly value?: unknown; readonly error?: string }

export type FromFrame =
  | { readonly kind: 'height'; readonly pixels: number }
  | { readonly kind: 'call'; readonly call: number; readonly method: string; readonly args: readonly unknown[] }

/** The same list as in the frame's own Content-Security-Policy: never allow-same-origin. */
export const SANDBOX = 'allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads allow-modals'
