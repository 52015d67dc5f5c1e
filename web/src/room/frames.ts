/** The binary frames of the socket: one byte that says what follows, and then it. */

export const UPDATE = 0x01
export const AWARENESS = 0x02
export const SYNC = 0x03

export type Frame =
  | { readonly kind: typeof UPDATE; readonly seq: number; readonly update: Uint8Array }
  | { readonly kind: typeof AWARENESS; readonly update: Uint8Array }
  | { readonly kind: typeof SYNC; readonly update: Uint8Array }

export function decode(bytes: Uint8Array): Frame | null {
  switch (bytes[0]) {
    case UPDATE: {
      if (bytes.length < 9) return null
      const seq = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1)
      return { kind: UPDATE, seq: Number(seq), update: bytes.subarray(9) }
    }
    case AWARENESS:
      return { kind: AWARENESS, update: bytes.subarray(1) }
    case SYNC:
      return { kind: SYNC, update: bytes.subarray(1) }
    default:
      return null
  }
}

export function updateFrame(n: number, update: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(5 + update.length)
  frame[0] = UPDATE
  new DataView(frame.buffer).setUint32(1, n)
  frame.set(update, 5)
  return frame
}

export function awarenessFrame(update: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(1 + update.length)
  frame[0] = AWARENESS
  frame.set(update, 1)
  return frame
}

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
}
