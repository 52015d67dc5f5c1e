/** Why something ended, in the page's language. The server says it in English, with a code; what has none stays as it is. */

/** `code`, and what the words are about; `because` is another reason. */
export type Why = Readonly<Record<string, unknown>>
/** As frames and answers of the server have it. */
export interface Reasoned {
  readonly reason?: string | null
  readonly why?: Why | null
}

let translate: (why: Why) => string | undefined = () => undefined

/** Called with another language: what says a reason in it, or undefined where it has no words. */
export function knowReasons(words: (why: Why) => string | undefined): void {
  translate = words
}

export function reasonText({ reason, why }: Reasoned): string | null {
  return (why ? translate(why) : undefined) ?? reason ?? null
}
