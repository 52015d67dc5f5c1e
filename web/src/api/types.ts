/** The server's answers under the names this page uses; what they hold is generated from its OpenAPI by `make types`. */
import type { components } from './schema'

export type Schemas = components['schemas']

export type Me = Readonly<Schemas['Me']>
export type Login = Readonly<Schemas['LoginShown']>
export type Token = Readonly<Schemas['TokenShown']>
export type ItemKind = Schemas['ItemShown']['kind']
export type Item = Readonly<Schemas['ItemShown']>
export type Folder = Readonly<Schemas['FolderShown']>
export type Listing = { readonly folder: Folder; readonly items: readonly Item[] }
export type GrantRole = Exclude<Schemas['Role'], 'owner'>
export type NewNotebook = Readonly<Schemas['NotebookMade']>
