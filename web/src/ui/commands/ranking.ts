/** How well a text answers what somebody typed. */

const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()

/**
 * Higher is better; null: it is no answer. Every word that was typed has to be there: best as the beginning of a word,
 * then inside of one, then as letters in this order.
 */
export function score(query: string, text: string): number | null {
  const wanted = plain(query).split(/\s+/).filter(Boolean)
  const whole = plain(text)
  const words = whole.split(/[^\p{L}\p{N}+.]+/u).filter(Boolean)
  let sum = 0
  for (const word of wanted) {
    const one = scoreOne(word, whole, words)
    if (one === 0) return null
    sum += one
  }
  // Of two that have the words, the shorter one says less besides.
  return sum + (wanted.length > 0 && whole.endsWith(wanted.join(' ')) ? 2 : 0) - whole.length / 1000
}

function scoreOne(wanted: string, whole: string, words: readonly string[]): number {
  if (words.includes(wanted)) return 12
  if (words.some((word) => word.startsWith(wanted))) return 10
  if (whole.includes(wanted)) return 5
  if (words.map((word) => word[0]).join('').includes(wanted)) return 4
  return wanted.length > 3 && inOrder(wanted, whole) ? 1 : 0
}

function inOrder(wanted: string, whole: string): boolean {
  let from = 0
  for (const letter of wanted) {
    const at = whole.indexOf(letter, from)
    if (at === -1) return false
    from = at + 1
  }
  return true
}
