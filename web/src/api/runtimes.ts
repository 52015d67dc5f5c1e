/** What the server says of runtimes: their types and versions, what they use, what runs in them, and environments. */
import type { RuntimeType } from '../model/runtimes'
import type { UsagePoint } from '../model/usage'
import type { GpuUsage, KernelState, NotebookId, Runtime } from '../model/wire'
import { ask } from './client'

export interface Version {
  readonly name: string
  readonly languages: readonly string[]
  readonly python: string
  readonly default: boolean
  readonly ready: boolean
  readonly packages_count: number
}
export interface Package {
  readonly name: string
  readonly version: string
}

/** A runtime as its own user sees it. */
export interface RuntimeShown extends Runtime {
  readonly requested_at: number
  readonly ready_at: number | null
  readonly used_at: number
  readonly expires_at?: number | null
  readonly usage?: {
    readonly memory_bytes: number | null
    readonly disk_bytes: number | null
    readonly processes?: number | null
    readonly gpus?: readonly GpuUsage[]
  } | null
}
export interface SessionShown {
  readonly runtime: RuntimeShown
  readonly notebook: { readonly id: NotebookId; readonly name: string } | null
  readonly kernel: { readonly id: string; readonly state: KernelState; readonly name?: string | null } | null
  readonly executing: boolean
}

/** What lies in a notebook's runtime on top of its version, and what the notebook keeps of it. */
export interface Environment {
  readonly pinned: { readonly lock: string; readonly at: number; readonly by: string; readonly ready: boolean } | null
  readonly added: readonly Package[]
  readonly changed: readonly { readonly name: string; readonly from: string; readonly to: string }[]
  readonly removed: readonly Package[]
}

const id = encodeURIComponent

export const runtimes = {
  types: () => ask<readonly RuntimeType[]>('GET', '/runtimes/types'),
  versions: () => ask<readonly Version[]>('GET', '/runtimes/versions'),
  version: (name: string) => ask<Version & { readonly packages: readonly Package[] }>('GET', `/runtimes/versions/${id(name)}`),
  get: (runtime: string) => ask<RuntimeShown>('GET', `/runtimes/${id(runtime)}`),
  usage: (runtime: string) => ask<{ readonly points: readonly UsagePoint[] }>('GET', `/runtimes/${id(runtime)}/usage`),
  keep: (runtime: string) => ask<void>('POST', `/runtimes/${id(runtime)}/keep`),
  end: (runtime: string) => ask<void>('DELETE', `/runtimes/${id(runtime)}`),
  sessions: () => ask<readonly SessionShown[]>('GET', '/sessions'),

  environment: (notebook: NotebookId) => ask<Environment>('GET', `/notebooks/${id(notebook)}/environment`),
  pin: (notebook: NotebookId) => ask<Environment>('POST', `/notebooks/${id(notebook)}/environment/pin`),
  setLock: (notebook: NotebookId, lock: string | null) => ask<Environment>('PUT', `/notebooks/${id(notebook)}/environment`, { json: { lock } }),
} as const
