/** What a Python traceback says, as IPython writes it: its frames, and where each of them is. */
import { withoutAnsi } from './ansi'

/** A place in code that somebody may want to go to. */
export type CodePlace =
  | { readonly kind: 'cell'; readonly count: number; readonly line: number }
  | { readonly kind: 'file'; readonly path: string; readonly line: number }

export interface Piece {
  /** As it came, escapes and all; its last line end is not part of it. */
  readonly text: string
  /** Where it is, and which characters of its first line, without escapes, say so. */
  readonly place: { readonly at: CodePlace; readonly from: number; readonly to: number } | null
  /** It is in a library: nobody's own code. */
  readonly library: boolean
}

const CELL = /^\s*(?:Cell|Input) In ?\[(\d{1,9})\],? ?(?:line (\d{1,9}))?/
const OLD_CELL = /^<ipython-input-(\d{1,9})-[0-9a-f]{1,40}>/
const FILE = /^\s*File "?((?:\/|~|\.)[^":\n]{1,1000}|[A-Za-z0-9_][^":<>\n]{0,1000}\.py)"?(?::|", line |, line )(\d{1,9})/
const OLD_FILE = /^(~?\/[^":<>\n]{1,1000}\.py) in \S/
const LIBRARY = /\/(?:site-packages|dist-packages|lib\/python3(?:\.\d+)?)\//
const MARKED = /^-+>\s*(\d{1,9})\b/

/** The pieces of a traceback: what stands before the first frame, and each frame with its lines. */
export function piecesOf(traceback: string): readonly Piece[] {
  const groups: string[][] = [[]]
  for (const line of traceback.split('\n')) {
    if (startsFrame(withoutAnsi(line)) && (groups.at(-1) as string[]).length > 0) groups.push([])
    ;(groups.at(-1) as string[]).push(line)
  }
  return groups.map((lines) => pieceOf(lines))
}

const startsFrame = (line: string): boolean => CELL.test(line) || OLD_CELL.test(line) || FILE.test(line) || OLD_FILE.test(line)

function pieceOf(lines: readonly string[]): Piece {
  const head = withoutAnsi(lines[0] ?? '')
  const found = placeOf(head, lines)
  return { text: lines.join('\n'), place: found, library: found?.at.kind === 'file' && LIBRARY.test(found.at.path) }
}

function placeOf(head: string, lines: readonly string[]): Piece['place'] {
  const file = FILE.exec(head)
  const cell = CELL.exec(head) ?? (file ? null : OLD_CELL.exec(head))
  const match = cell ?? file ?? OLD_FILE.exec(head)
  if (match === null) return null
  // Older forms name no line; the arrow at the line does.
  const line = Number(match[2] ?? markedIn(lines) ?? 1)
  const from = match[0].length - match[0].trimStart().length
  const at: CodePlace = cell ? { kind: 'cell', count: Number(match[1]), line } : { kind: 'file', path: match[1] as string, line }
  return { at, from, to: match[0].length }
}

function markedIn(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const marked = MARKED.exec(withoutAnsi(line))
    if (marked) return marked[1]
  }
  return undefined
}

/** Frames of libraries that follow each other, together; whatever else is alone. The last frame is never folded away. */
export function folded(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const groups: Piece[][] = []
  let run: Piece[] | null = null
  pieces.forEach((piece, at) => {
    if (piece.library && at < pieces.length - 1) {
      if (run === null) groups.push((run = []))
      run.push(piece)
    } else {
      run = null
      groups.push([piece])
    }
  })
  return groups
}
