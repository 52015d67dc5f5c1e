/** Says when foreign code is about to run here: if it never ends, the page knows whose it was. */
let post: ((works: boolean) => void) | null = null

export function connectWork(to: (works: boolean) => void): void {
  post = to
}

/** Said right before, since a message leaves at once and what comes after it may be endless. */
export function begins(): void {
  post?.(true)
}

export function rests(): void {
  post?.(false)
}
