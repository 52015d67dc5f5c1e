/** What the server says of runtimes: their types and versions, what they use, what runs in them, and environments. */
import type { UsagePoint } from '../model/usage'
import type { NotebookId } from '../model/wire'
import { ask } from './client'
import type { Schemas } from './types'

export type Version = Readonly<Schemas['RuntimeVersion']>
export type SessionShown = Readonly<Schemas['SessionHeld']>
/** What lies in a notebook's runtime on top of its version, and what the notebook keeps of it. */
export type Environment = Readonly<Schemas['NotebookEnvironment']>

const id = encodeURIComponent

export const runtimes = {
  types: () => ask<readonly Schemas['RuntimeTypeShown'][]>('GET', '/runtimes/types'),
  versions: () => ask<readonly Version[]>('GET', '/runtimes/versions'),
  version: (name: string) => ask<Schemas['RuntimeVersionWithPackages']>('GET', `/runtimes/versions/${id(name)}`),
  get: (runtime: string) => ask<Schemas['RuntimeWithUsage']>('GET', `/runtimes/${id(runtime)}`),
  usage: (runtime: string) => ask<{ readonly points: readonly UsagePoint[] }>('GET', `/runtimes/${id(runtime)}/usage`),
  keep: (runtime: string) => ask<void>('POST', `/runtimes/${id(runtime)}/keep`),
  end: (runtime: string) => ask<void>('DELETE', `/runtimes/${id(runtime)}`),
  sessions: () => ask<readonly SessionShown[]>('GET', '/sessions'),
  /** What happened after the entry with this number. */
  log: (notebook: NotebookId, after: number) => ask<Schemas['SessionLog']>('GET', `/notebooks/${id(notebook)}/session/log`, { query: { after: String(after) } }),

  environment: (notebook: NotebookId) => ask<Environment>('GET', `/notebooks/${id(notebook)}/environment`),
  pin: (notebook: NotebookId) => ask<Environment>('POST', `/notebooks/${id(notebook)}/environment/pin`),
  setLock: (notebook: NotebookId, lock: string | null) => ask<Environment>('PUT', `/notebooks/${id(notebook)}/environment`, { json: { lock } satisfies Schemas['EnvironmentWanted'] }),
} as const
