/** What a person can set about the page: names, ranges and what holds when nothing was chosen. */

export interface Settings {
  readonly site: {
    /** A language of the catalogue, or the browser's first one that is there. */
    readonly language: 'system' | 'en' | 'de'
    /** Tell the desktop when a run that took longer than this many seconds ends; 0: never. */
    readonly notifyAfter: number
  }
  readonly editor: {
    readonly fontFamily: string
    /** In CSS pixels, 8 to 32. */
    readonly fontSize: number
    readonly indent: 2 | 4
    readonly lineNumbers: boolean
    readonly wrap: boolean
    readonly folding: boolean
    readonly closeBrackets: boolean
    readonly ligatures: boolean
    /** Lines at every step of the indentation. */
    readonly guides: boolean
    /** Columns at which a thin line stands. */
    readonly rulers: readonly number[]
    /** Offer completions while typing, not only when asked for. */
    readonly completeWhileTyping: boolean
    /** Enter takes what is offered. */
    readonly acceptOnEnter: boolean
    readonly diagnostics: 'off' | 'syntax' | 'types'
  }
  readonly keys: {
    /** `vim` also takes the keys inside of the text. */
    readonly preset: 'default' | 'jupyterlab' | 'vim'
    /** A command's own keys in place of the preset's; an empty list: none. */
    readonly bindings: Readonly<Record<string, readonly string[]>>
  }
  readonly snippets: {
    /** One's own code to begin with, each by another name. */
    readonly own: readonly { readonly name: string; readonly source: string }[]
  }
  readonly accessibility: {
    /** Light and dark are a choice of this browser; contrast goes with the person. */
    readonly contrast: 'system' | 'more'
    readonly motion: 'system' | 'less'
    /** Tell a screen reader when a cell runs, ends or fails, and who comes and goes. */
    readonly announce: boolean
    /** Tab leaves the text instead of indenting it. */
    readonly tabMovesFocus: boolean
  }
}

export const DEFAULTS: Settings = {
  site: { language: 'system', notifyAfter: 0 },
  editor: {
    fontFamily: '',
    fontSize: 14,
    indent: 4,
    lineNumbers: false,
    wrap: false,
    folding: true,
    closeBrackets: true,
    ligatures: false,
    guides: false,
    rulers: [],
    completeWhileTyping: true,
    acceptOnEnter: true,
    diagnostics: 'syntax',
  },
  keys: { preset: 'default', bindings: {} },
  snippets: { own: [] },
  accessibility: { contrast: 'system', motion: 'system', announce: true, tabMovesFocus: false },
}

export type Part = keyof Settings
export type Change = { readonly [P in Part]?: Partial<Settings[P]> }

export function changed(settings: Settings, change: Change): Settings {
  const parts = Object.entries(change) as [Part, object][]
  return { ...settings, ...Object.fromEntries(parts.map(([part, values]) => [part, { ...settings[part], ...values }])) }
}

/** Two changes as one; the later one holds where both say something. */
export function merged(one: Change, other: Change): Change {
  const parts = new Set([...Object.keys(one), ...Object.keys(other)] as Part[])
  return Object.fromEntries([...parts].map((part) => [part, { ...one[part], ...other[part] }]))
}

/** What was chosen otherwise than the defaults. */
export function choices(settings: Settings): Change {
  const parts = (Object.keys(DEFAULTS) as Part[]).map((part) => {
    const base = DEFAULTS[part] as Readonly<Record<string, unknown>>
    return [part, Object.fromEntries(Object.entries(settings[part]).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(base[name])))] as const
  })
  return Object.fromEntries(parts.filter(([, values]) => Object.keys(values).length > 0))
}

/** What was kept, over the defaults; what is not of a setting's kind is left out, as an older or newer page may have written it. */
export function read(kept: unknown): Settings {
  if (typeof kept !== 'object' || kept === null) return DEFAULTS
  const parts = (Object.keys(DEFAULTS) as Part[]).map((part) => {
    const base = DEFAULTS[part] as Readonly<Record<string, unknown>>
    const own = ((kept as Record<string, unknown>)[part] ?? {}) as Record<string, unknown>
    return [part, Object.fromEntries(Object.entries(base).map(([name, value]) => [name, fits(own[name], value) ? own[name] : value]))]
  })
  return Object.fromEntries(parts) as unknown as Settings
}

function fits(value: unknown, model: unknown): boolean {
  return typeof value === typeof model && value !== null && Array.isArray(value) === Array.isArray(model)
}
