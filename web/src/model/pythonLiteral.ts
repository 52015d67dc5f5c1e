/** Python's string literals, as far as a field of a form needs them: one, on one line. */

const LITERAL = /^([rRuU]?)("""|'''|"|')([\s\S]*)\2$/
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"', a: '\x07', b: '\b', f: '\f', v: '\v', '0': '\0' }

/** The text that a literal stands for; null for anything else: an f-string, bytes, two literals beside each other. */
export function literalText(code: string): string | null {
  const found = LITERAL.exec(code)
  if (!found) return null
  const [, prefix, quote, inner] = found as unknown as [string, string, string, string]
  const raw = prefix.toLowerCase() === 'r'
  let text = ''
  for (let at = 0; at < inner.length; at += 1) {
    if (inner.startsWith(quote, at)) return null
    if (inner[at] !== '\\') text += inner[at]
    else if (at + 1 === inner.length) return null
    else if (raw) text += inner[at]! + inner[(at += 1)]!
    else {
      const coded = /^\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/.exec(inner.slice(at, at + 10))
      const point = coded ? Number.parseInt((coded[1] ?? coded[2] ?? coded[3])!, 16) : -1
      if (coded && point <= 0x10ffff) {
        text += String.fromCodePoint(point)
        at += coded[0].length - 1
      } else {
        const letter = inner[(at += 1)]!
        text += ESCAPES[letter] ?? `\\${letter}`
      }
    }
  }
  return text
}

/** A literal for this text, with the quotes that stand there now when they serve. */
export function quoted(text: string, like = ''): string {
  if (/^[rRuU]?'(?!'')/.test(like) && !/['\\\p{Cc}\p{Cs}]/u.test(text)) return `'${text}'`
  return JSON.stringify(text)
}
