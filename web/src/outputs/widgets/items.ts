/** What the page and a frame tell each other of widgets, structured-cloned over the frame's port. */

export type BufferPath = readonly (string | number)[]

/** A model as it is now. `live`: its kernel is there to take what is sent; `over`: some of it was too large to keep. */
export interface FrameModel {
  readonly id: string
  readonly target: string
  readonly live: boolean
  readonly over?: boolean
  readonly state: Readonly<Record<string, unknown>>
  readonly buffers: readonly (readonly [BufferPath, ArrayBuffer])[]
}

export type FrameItem =
  /** Attributes changed. `by`: the messages that did it, for each attribute. */
  | { readonly id: string; readonly state: Readonly<Record<string, unknown>>; readonly buffers: readonly (readonly [BufferPath, ArrayBuffer])[]; readonly by?: Readonly<Record<string, readonly string[]>> }
  | { readonly id: string; readonly data: unknown; readonly buffers: readonly ArrayBuffer[] }
  | { readonly id: string; readonly closed: true }
  /** What the frame sent under this name was carried out, or refused. */
  | { readonly done: string; readonly refused?: string }
  /** The kernel of all models so far is gone. */
  | { readonly gone: true }
