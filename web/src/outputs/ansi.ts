/** Terminal colours as elements: sixteen named ones follow the theme, the rest are set as they come. */
import Anser from 'anser'

/** What an escape left in force, to go on with in the next piece of the same text. */
export type AnsiState = Readonly<Record<string, unknown>> | null

type Entry = Anser.AnserJsonEntry & { readonly isInverted: boolean }

/** Everything that is an escape but not a colour: titles, links, cursor movements, character sets. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are control characters
const OTHER_ESCAPES = /\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[()#%*+][0-9A-Za-z]|\x1b[=>78cDEHMNOZ]/g
const ESCAPE = '\x1b'
/** An SGR that changes nothing, so that the library gives the first piece the colours in force. */
const NOTHING = '\x1b[99m'

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const

/** The class or the colour of one side of an entry; the library's words are never used unread. */
function colour(name: string | null, truecolour: string | null): { name?: string; rgb?: string } {
  if (name === null || name === '') return {}
  if (name === 'ansi-truecolor') return truecolour !== null && /^\d{1,3}, ?\d{1,3}, ?\d{1,3}$/.test(truecolour) ? { rgb: `rgb(${truecolour})` } : {}
  const palette = /^ansi-palette-(\d{1,3})$/.exec(name)
  if (palette) return paletteColour(Number(palette[1]))
  return /^ansi-(bright-)?(black|red|green|yellow|blue|magenta|cyan|white)$/.test(name) ? { name: name.slice(5) } : {}
}

export function paletteColour(index: number): { name?: string; rgb?: string } {
  if (index < 16) return { name: `${index > 7 ? 'bright-' : ''}${NAMES[index % 8]}` }
  if (index > 255) return {}
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10
    return { rgb: `rgb(${grey}, ${grey}, ${grey})` }
  }
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40)
  const cube = index - 16
  return { rgb: `rgb(${level(Math.floor(cube / 36))}, ${level(Math.floor(cube / 6) % 6)}, ${level(cube % 6)})` }
}

function styled(entry: Entry): Node {
  const text = document.createTextNode(entry.content)
  const fg = colour(entry.fg, entry.fg_truecolor)
  const bg = colour(entry.bg, entry.bg_truecolor)
  const names = entry.decorations.filter((one) => /^(bold|dim|italic|underline|strikethrough|hidden)$/.test(one)).map((one) => `ansi-${one}`)
  // Reversed without colours of their own, the library says black on white; here it is the theme's paper on its ink.
  if (fg.name) names.push(entry.isInverted && fg.name === 'black' ? 'ansi-fg-back' : `ansi-fg-${fg.name}`)
  if (bg.name) names.push(entry.isInverted && bg.name === 'white' ? 'ansi-bg-front' : `ansi-bg-${bg.name}`)
  // A free colour alone is kept readable on the theme's ground; beside a ground of its own it is taken as it is.
  const adapts = fg.rgb !== undefined && bg.rgb === undefined && bg.name === undefined
  if (adapts) names.push('ansi-free')
  if (names.length === 0 && !fg.rgb && !bg.rgb) return text
  const span = document.createElement('span')
  if (names.length > 0) span.className = names.join(' ')
  if (fg.rgb) span.style.setProperty(adapts ? '--ansi' : 'color', fg.rgb)
  if (bg.rgb) span.style.backgroundColor = bg.rgb
  span.append(text)
  return span
}

/** A terminal's link (OSC 8): its parameters, and the address; an empty one ends the link. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are control characters
const LINK = /\x1b\]8;[^;\x07\x1b]*;([^\x07\x1b]*)(?:\x07|\x1b\\)/
const LINK_TO = /^(?:https?:\/\/|mailto:)/i

/** Appends `text` to `into`, and says what is in force after it. */
export function appendAnsi(into: Node, text: string, state: AnsiState = null): AnsiState {
  if (state === null && !text.includes(ESCAPE)) {
    into.appendChild(document.createTextNode(text))
    return null
  }
  // Text and addresses in turn: the address of a link comes before its words.
  const parts = text.split(LINK)
  let now = state
  parts.forEach((part, at) => {
    if (at % 2 === 1) now = linkedTo(now, part)
    else if (part !== '' || at === 0) now = appendStyled(linkOf(into, now), part, now)
  })
  return now
}

function linkedTo(state: AnsiState, address: string): AnsiState {
  const { link: _, ...rest } = state ?? {}
  const safe = LINK_TO.test(address)
  return safe || Object.keys(rest).length > 0 ? { ...rest, ...(safe && { link: address }) } : null
}

/** Where the words of a link go: into an element of their own. */
function linkOf(into: Node, state: AnsiState): Node {
  const address = state?.link
  if (typeof address !== 'string') return into
  const link = document.createElement('a')
  link.href = address
  link.target = '_blank'
  link.rel = 'noopener noreferrer nofollow'
  into.appendChild(link)
  return link
}

function appendStyled(into: Node, text: string, state: AnsiState): AnsiState {
  const machine = new Anser()
  if (state !== null) Object.assign(machine, state, { decorations: [...((state.decorations as string[] | undefined) ?? [])] })
  const entries = machine.ansiToJson(NOTHING + text.replace(OTHER_ESCAPES, ''), { json: true, use_classes: true, remove_empty: true }) as Entry[]
  for (const entry of entries) into.appendChild(styled(entry))
  const { fg, bg, fg_truecolor, bg_truecolor, decorations } = machine as unknown as Record<string, unknown>
  const plain = !fg && !bg && (decorations as unknown[]).length === 0
  const link = state?.link
  if (plain) return link === undefined ? null : { link }
  return { fg, bg, fg_truecolor, bg_truecolor, decorations, ...(link !== undefined && { link }) }
}

/** The text without any escape, as it is copied. */
export function withoutAnsi(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are control characters
  return text.replace(OTHER_ESCAPES, '').replace(/\x1b\[[0-?]*[ -/]*[@-~]/g, '')
}
