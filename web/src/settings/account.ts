/** A person's settings on the server: fetched when they sign in, told of what they choose. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { ApiError, ask } from '../api/client'
import type { Schemas } from '../api/types'
import { type Change, changed, choices, DEFAULTS, merged, type Part, read, type Settings } from './model'
import { adopt, notes, settings } from './store'

const CHOOSING_MS = 400
const PATH = '/me/settings'

type Kept = Schemas['PageSettings']
type Unknown = { readonly [P in Part]: Exclude<keyof Settings[P], keyof NonNullable<Kept[P]>> }[Part]
/** A setting that the server does not know would be refused by it: with one, nothing can be told, and this does not compile. */
type Tellable = [Unknown] extends [never] ? Change : never
const body = (change: Tellable) => ({ json: change })

export type Telling = { readonly state: 'alone' | 'told' | 'telling' } | { readonly state: 'failed'; readonly why: string }
/** Whether the server has what was chosen; alone: nobody is signed in. */
export const telling: StoreApi<Telling> = createStore<Telling>(() => ({ state: 'alone' }))

let user: string | null = null
let timer: ReturnType<typeof setTimeout> | undefined

/** Somebody is signed in, and the server can be asked; null: nobody is. */
export async function belongTo(who: string | null): Promise<void> {
  user = who
  clearTimeout(timer)
  if (who === null) return telling.setState({ state: 'alone' }, true)
  const { of, unsent } = notes.getState()
  // What somebody else chose in this browser is not carried into another account; what nobody in particular chose is.
  const mine = of === who ? unsent : of === null ? merged(choices(settings.getState()), unsent) : {}
  try {
    const known = (await ask<Kept>('GET', PATH)) as Change
    if (user !== who) return
    // Chosen here before anybody signed in: only where the account says nothing. Chosen while the server answered: in any case.
    const wins = merged(of === who ? mine : without(mine, known), since(unsent, notes.getState().unsent))
    adopt(changed(read(merged(DEFAULTS, known)), wins), { of: who, unsent: wins })
    await tell()
  } catch (error) {
    failed(error)
  }
}

async function tell(): Promise<void> {
  const { of, unsent } = notes.getState()
  if (user === null || of !== user) return
  if (Object.keys(unsent).length === 0) return telling.setState({ state: 'told' }, true)
  telling.setState({ state: 'telling' }, true)
  try {
    await ask<Kept>('PATCH', PATH, body(unsent))
  } catch (error) {
    return failed(error)
  }
  // What was chosen meanwhile is told next.
  if (notes.getState().unsent === unsent) {
    adopt(settings.getState(), { of, unsent: {} })
    telling.setState({ state: 'told' }, true)
  } else await tell()
}

/** What could not be told is kept in this browser, and told when the page is loaded next or the network is back. */
function failed(error: unknown): void {
  if (!(error instanceof ApiError)) throw error
  telling.setState({ state: 'failed', why: error.message }, true)
}

const valueIn = (change: Change, part: Part, name: string): unknown => (change[part] as Readonly<Record<string, unknown>> | undefined)?.[name]

function only(change: Change, wanted: (part: Part, name: string, value: unknown) => boolean): Change {
  const parts = (Object.keys(change) as Part[]).map((part) => [part, Object.fromEntries(Object.entries(change[part] ?? {}).filter(([name, value]) => wanted(part, name, value)))] as const)
  return Object.fromEntries(parts.filter(([, values]) => Object.keys(values).length > 0))
}

const without = (one: Change, other: Change): Change => only(one, (part, name) => valueIn(other, part, name) === undefined)
const since = (before: Change, now: Change): Change => only(now, (part, name, value) => valueIn(before, part, name) !== value)

notes.subscribe(({ of, unsent }, before) => {
  if (unsent === before.unsent || Object.keys(unsent).length === 0) return
  // Said at once: nothing is kept for the account before the server has it.
  if (user !== null && of === user) telling.setState({ state: 'telling' }, true)
  clearTimeout(timer)
  timer = setTimeout(() => void tell(), CHOOSING_MS)
})
addEventListener('online', () => void tell())
