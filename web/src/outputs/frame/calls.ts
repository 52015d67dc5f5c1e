/** What a frame asks of the page, and its answers. */
import type { FromFrame, ToFrame } from './wire'

interface Waiting {
  readonly done: (value: unknown) => void
  readonly failed: (error: Error) => void
}

const waiting = new Map<number, Waiting>()
let calls = 0
let post: ((message: FromFrame) => void) | null = null

export function connect(to: (message: FromFrame) => void): void {
  post = to
}

/** Rejects with the page's words when it has no such method, or cannot do it. */
export function call(method: string, ...args: readonly unknown[]): Promise<unknown> {
  return new Promise((done, failed) => {
    if (post === null) return failed(new Error('the page does not listen yet'))
    const number = ++calls
    waiting.set(number, { done, failed })
    post({ kind: 'call', call: number, method, args })
  })
}

export function answered({ call: number, value, error }: Extract<ToFrame, { kind: 'answer' }>): void {
  const asked = waiting.get(number)
  waiting.delete(number)
  if (error === undefined) asked?.done(value)
  else asked?.failed(new Error(error))
}
