/** Keys that the page wants to hear of while an output has the keyboard; whoever knows the commands says which. */
import { createStore } from 'zustand/vanilla'
import type { KeysAsked } from './frame/wire'

export const keysAsked = createStore<KeysAsked>(() => ({ mac: false, keys: [] }))

/** A `CustomEvent<string>` on what holds the frame, which bubbles: the frame's wish, as a stranger wrote it. */
export const OUTPUT_KEY = 'output-key'
