/** What is found, opened, starred and copied in a drive, playgrounds, and what there is to know of a notebook. */
import { ask } from './client'
import type { Item, ItemKind, Schemas } from './types'

export type Opened = { readonly item: Item; readonly opened_at: number }
export type Found = Readonly<Schemas['FoundItemShown']> & { readonly item: Item }
export type Usage = Readonly<Schemas['UsageShown']>
export type NotebookInfo = Readonly<Schemas['InfoShown']>
export type Playground = Readonly<Schemas['PlaygroundShown']>

const id = encodeURIComponent
const copyRequest = (body: Schemas['CopyRequest']) => ({ json: body })

export const drive = {
  recent: () => ask<readonly Opened[]>('GET', '/drive/recent'),
  starred: () => ask<readonly Item[]>('GET', '/drive/starred'),
  stars: () => ask<readonly string[]>('GET', '/drive/stars'),
  star: (item: string, on: boolean) => ask<void>(on ? 'PUT' : 'DELETE', `/drive/items/${id(item)}/star`),
  search: (words: string, kind: ItemKind | null, owner: 'mine' | 'others' | null, signal?: AbortSignal) => ask<readonly Found[]>('GET', '/drive/search', { query: { q: words, kind, owner }, signal }),
  usage: () => ask<Usage>('GET', '/drive/usage'),
  emptyTrash: () => ask<Schemas['TrashEmptied']>('DELETE', '/drive/trash'),
  copy: (item: string) => ask<Item>('POST', `/drive/items/${id(item)}/copy`, copyRequest({})),
  info: (notebook: string) => ask<NotebookInfo>('GET', `/notebooks/${id(notebook)}/info`),
  playground: (notebook: string) => ask<Playground>('POST', `/notebooks/${id(notebook)}/playground`),
  savePlayground: (playground: string) => ask<Playground>('POST', `/notebooks/${id(playground)}/playground/save`),
  discardPlayground: (playground: string) => ask<void>('DELETE', `/notebooks/${id(playground)}/playground`),
} as const
