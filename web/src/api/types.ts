/** The server's answers, as this page uses them. `make types` writes the full set to schema.ts. */
import type { Role } from '../model/wire'

export interface Me {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly color: string
  readonly admin: boolean
}

export interface Login {
  readonly id: string
  readonly created_at: number
  readonly seen_at: number
  readonly address: string | null
  readonly agent: string | null
  readonly current: boolean
}

export interface Token {
  readonly id: string
  readonly name: string
  readonly created_at: number
  readonly used_at: number | null
}

export type ItemKind = 'folder' | 'notebook' | 'file'

export interface Item {
  readonly id: string
  readonly kind: ItemKind
  readonly name: string
  readonly size: number
  readonly created_at: number
  readonly modified_at: number
  readonly role: Role
  readonly owner: { readonly id: string; readonly name: string }
  readonly trashed_at: number | null
  readonly parent: string | null
}

export interface Folder {
  readonly id: string
  readonly name: string
  readonly path: readonly { readonly id: string; readonly name: string }[]
}

export interface Listing {
  readonly folder: Folder
  readonly items: readonly Item[]
}

export type GrantRole = Exclude<Role, 'owner'>

export interface Grant {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly role: Role
  /** Given on a folder above, and taken back there. */
  readonly inherited: boolean
}

export interface NewNotebook {
  readonly id: string
  readonly name: string
  readonly url: string
}
