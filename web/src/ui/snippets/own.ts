/** Snippets of one's own: kept with one's settings, so that they are there in every browser. */
import type { Settings } from '../../settings/model'
import { set, settings } from '../../settings/store'

export interface OwnSnippet {
  readonly name: string
  readonly source: string
}

export const NAME_MAX = 80
export const SOURCE_MAX = 10_000
const SNIPPETS_MAX = 100
/** All of them, as JSON, beside the other settings: the server takes 128 KiB. */
const BYTES_MAX = 96 * 1024

/** Those that can be read, by their names; what another page or version kept otherwise is passed over. */
export function ownSnippets({ snippets: { own } }: Settings): readonly OwnSnippet[] {
  return own.filter((one) => typeof one?.name === 'string' && typeof one.source === 'string').toSorted((a, b) => a.name.localeCompare(b.name))
}

/** With this one, in the place of one of its name, and of the one that it was made from. */
export function kept(all: readonly OwnSnippet[], snippet: OwnSnippet, before?: string): readonly OwnSnippet[] {
  return [...all.filter(({ name }) => name !== snippet.name && name !== before), snippet]
}

/** Whether there is room for them. */
export function fits(all: readonly OwnSnippet[]): boolean {
  return all.length <= SNIPPETS_MAX && all.every(({ source }) => source.length <= SOURCE_MAX) && new TextEncoder().encode(JSON.stringify(all)).length <= BYTES_MAX
}

export function keep(own: readonly OwnSnippet[]): void {
  set({ snippets: { own } })
}

export function remove(name: string): void {
  keep(ownSnippets(settings.getState()).filter((one) => one.name !== name))
}
