/** What passes between this page and the server about runs, as docs/reference/protocol.md writes it. */
import type { Why } from '../i18n/reasons'

export type NotebookId = string
export type CellId = string
export type ExecutionId = string
export type Role = 'owner' | 'editor' | 'commenter' | 'viewer'

/** A MIME value above 64 KiB stays on the server and is fetched by its hash. */
export interface BlobRef {
  readonly $blob: string
  readonly size: number
  readonly mime: string
  /** What the value was before: `json` if it was no text. */
  readonly form?: string
}

/** nbformat keeps long text as one string or as a list of lines; JSON types are values. */
export type MimeValue = string | readonly string[] | BlobRef | { readonly [key: string]: unknown } | readonly unknown[] | number | boolean | null
export type MimeBundle = Readonly<Record<string, MimeValue>>
export type OutputMetadata = Readonly<Record<string, unknown>>

export interface StreamOutput {
  readonly output_type: 'stream'
  readonly name: 'stdout' | 'stderr'
  readonly text: string | readonly string[]
  /** The middle was left out: so many bytes, before this character of `text`. */
  readonly omitted?: { readonly bytes: number; readonly at: number }
}
export interface DisplayOutput {
  readonly output_type: 'display_data'
  readonly data: MimeBundle
  readonly metadata?: OutputMetadata
}
export interface ResultOutput {
  readonly output_type: 'execute_result'
  readonly data: MimeBundle
  readonly metadata?: OutputMetadata
  readonly execution_count?: number | null
}
export interface ErrorOutput {
  readonly output_type: 'error'
  readonly ename: string
  readonly evalue: string
  readonly traceback: readonly string[]
}
export type Output = StreamOutput | DisplayOutput | ResultOutput | ErrorOutput

export interface InputPrompt {
  readonly prompt: string
  readonly password: boolean
}

export type ExecutionState = 'queued' | 'running' | 'finished' | 'failed' | 'cancelled'

export interface Execution {
  readonly execution: ExecutionId
  readonly cell: CellId
  readonly state: ExecutionState
  readonly user: { readonly id: string; readonly name: string } | null
  readonly count: number | null
  readonly queued_at: number | null
  readonly started_at: number | null
  readonly finished_at: number | null
  /** Of the source that ran; absent of what only came with the file. */
  readonly hash?: string
  readonly reason?: string | null
  readonly why?: Why | null
  readonly input?: InputPrompt | null
  readonly outputs?: readonly Output[]
  readonly version?: number
  /** It came with the file, and was not run here. */
  readonly saved?: boolean
}

export type RuntimeState = 'requested' | 'starting' | 'ready' | 'stopping' | 'stopped' | 'failed'
/** A null limit is none that is enforced here. */
export interface Limits {
  readonly memory_bytes: number | null
  readonly cpus: number | null
  readonly disk_bytes: number | null
}
export type NetworkMode = 'none' | 'packages' | 'internet'
export interface Accelerator {
  readonly kind: string
  readonly count: number
  readonly name: string
}
/** The runtime is about to be given back, at this time of the server's clock. */
export interface RuntimeNotice {
  readonly kind: 'idle' | 'lifetime'
  readonly at: number
}
export interface Runtime {
  readonly id: string
  readonly state: RuntimeState
  readonly type: string
  readonly version: string
  readonly reason?: string | null
  readonly why?: Why | null
  readonly label?: string | null
  readonly limits?: Limits | null
  readonly network?: NetworkMode | null
  readonly accelerator?: Accelerator | null
  readonly notice?: RuntimeNotice | null
  /** It waits for an accelerator: which place, of how many. */
  readonly queue?: { readonly position: number; readonly of: number } | null
  /** What is being done until it is ready. */
  readonly progress?: string | null
  readonly progress_why?: Why | null
  /** What was asked for and could not be had. */
  readonly notes?: readonly string[]
  readonly notes_why?: readonly (Why | null)[]
}

export interface GpuUsage {
  readonly name: string
  readonly memory_bytes: number
  readonly memory_limit_bytes: number
  readonly percent: number | null
}
/** What a runtime uses now. `cpu_percent`: 100 is one whole processor. Null: nobody counts it on that machine. */
export interface Usage {
  readonly runtime: string
  readonly at: number
  readonly memory_bytes: number | null
  readonly memory_limit_bytes: number | null
  readonly cpu_percent: number | null
  readonly cpus: number | null
  readonly disk_bytes: number | null
  readonly disk_limit_bytes: number | null
  readonly processes: number | null
  readonly gpus: readonly GpuUsage[]
}

export interface Variable {
  readonly name: string
  readonly type: string
  readonly bytes: number
}
export interface PackageChange {
  readonly name: string
  readonly from: string | null
  readonly to: string | null
}

export type KernelState = 'starting' | 'idle' | 'busy' | 'restarting' | 'dead'
export interface Kernel {
  readonly id: string
  readonly state: KernelState
  readonly reason?: string | null
  readonly why?: Why | null
  /** The kernel's specification, such as `python3`, and what it speaks. */
  readonly name?: string | null
  readonly language?: string | null
}

export interface Queued {
  readonly execution: ExecutionId
  readonly cell: CellId
}

export interface Person {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly color: string
}

/** Bytes above 64 KiB stay on the server and are fetched by their hash. */
export interface LargeContent {
  readonly sha256: string
  readonly size: number
}
/** Base64, or where it is. */
export type WidgetBuffer = string | LargeContent
export interface WidgetState {
  readonly state: Readonly<Record<string, unknown>>
  readonly large?: Readonly<Record<string, LargeContent>>
  readonly buffers?: readonly (readonly [readonly (string | number)[], WidgetBuffer])[]
}
export interface WidgetModel extends WidgetState {
  readonly id: string
  readonly target: string
  readonly live: boolean
  readonly over?: boolean
}
export type WidgetItem =
  | (WidgetState & { readonly id: string; readonly by?: Readonly<Record<string, readonly string[]>> })
  | { readonly id: string; readonly data: unknown; readonly buffers?: readonly WidgetBuffer[] }
  | { readonly id: string; readonly closed: true }
  | { readonly done: string }
  | { readonly gone: true }
export interface CommMessage {
  readonly op: 'open' | 'msg' | 'close'
  readonly id: string
  readonly message: string
  readonly data: Readonly<Record<string, unknown>>
  readonly target: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly buffers: readonly (string | { readonly uploaded: string })[]
  readonly execution: ExecutionId
}

/** Text frames from the server. */
export type FromServer =
  | { readonly type: 'welcome'; readonly client: number; readonly role: Role; readonly may: readonly string[]; readonly notebook: { readonly id: NotebookId; readonly name: string; readonly playground_of?: NotebookId | null }; readonly user: Person; readonly epoch: string; readonly head: number; readonly state_vector: string; readonly reset: boolean; readonly build?: string }
  | { readonly type: 'ack'; readonly n: number; readonly seq: number }
  | { readonly type: 'reject'; readonly n: number; readonly reason: string }
  | { readonly type: 'trouble'; readonly code: string; readonly detail: string }
  | { readonly type: 'heartbeat'; readonly seq: number; readonly checksum: string }
  | { readonly type: 'notebook'; readonly name: string; readonly playground_of?: NotebookId | null }
  | { readonly type: 'role'; readonly role: Role; readonly may: readonly string[] }
  | { readonly type: 'session'; readonly runtime: Runtime | null; readonly kernel: Kernel | null; readonly queue: readonly Queued[] }
  | { readonly type: 'cells'; readonly executions: readonly Execution[] }
  | { readonly type: 'accepted'; readonly request: string; readonly executions: readonly Queued[] }
  | { readonly type: 'refused'; readonly request?: string; readonly code: string; readonly detail: string; readonly cells?: readonly CellId[] }
  | ({ readonly type: 'execution' } & Execution)
  | { readonly type: 'outputs'; readonly execution: ExecutionId; readonly cell: CellId; readonly version: number; readonly splice: readonly [number, readonly Output[]] }
  | { readonly type: 'append'; readonly execution: ExecutionId; readonly cell: CellId; readonly version: number; readonly index: number; readonly keep: number; readonly text: string }
  | { readonly type: 'input_request'; readonly execution: ExecutionId; readonly cell: CellId; readonly prompt: string; readonly password: boolean }
  | { readonly type: 'completion'; readonly request: string; readonly matches: readonly string[]; readonly start: number; readonly end: number; readonly types: readonly string[] }
  | { readonly type: 'inspection'; readonly request: string; readonly found: boolean; readonly data: MimeBundle }
  | ({ readonly type: 'usage' } & Usage)
  | { readonly type: 'memory_warning'; readonly memory_bytes: number; readonly memory_limit_bytes: number; readonly variables: readonly Variable[]; readonly over?: false }
  | { readonly type: 'memory_warning'; readonly over: true }
  | { readonly type: 'comments'; readonly thread: string }
  /** There are other revisions now. */
  | { readonly type: 'revisions' }
  /** There are other overlaps now. */
  | { readonly type: 'overlaps' }
  | { readonly type: 'packages'; readonly changed: readonly PackageChange[] }
  | { readonly type: 'widget_models'; readonly request: string; readonly models: readonly WidgetModel[]; readonly missing: readonly string[] }
  | { readonly type: 'widget_updates'; readonly n: number; readonly items: readonly WidgetItem[]; readonly reset?: true }
  | { readonly type: 'comm_refused'; readonly message: string; readonly id: string; readonly code: string; readonly detail: string }

/** Text frames to the server. */
export type ToServer =
  | { readonly type: 'hello'; readonly protocol: 1; readonly client: number; readonly epoch: string | null; readonly state_vector: string | null }
  | { readonly type: 'claim'; readonly clients: readonly number[] }
  | { readonly type: 'diverged'; readonly seq: number; readonly checksum: string }
  | { readonly type: 'execute'; readonly request: string; readonly cells: readonly { readonly cell: CellId; readonly hash: string }[] }
  | { readonly type: 'interrupt' | 'restart' | 'disconnect' | 'keep' }
  | { readonly type: 'connect'; readonly runtime_type?: string; readonly version?: string }
  | { readonly type: 'cancel'; readonly cell: CellId }
  | { readonly type: 'input'; readonly execution: ExecutionId; readonly value: string }
  | { readonly type: 'clear'; readonly cells: readonly CellId[] | 'all' }
  | { readonly type: 'complete'; readonly request: string; readonly code: string; readonly cursor: number }
  | { readonly type: 'inspect'; readonly request: string; readonly code: string; readonly cursor: number; readonly detail: 0 | 1 }
  | { readonly type: 'outputs'; readonly execution: ExecutionId }
  | { readonly type: 'widget_models'; readonly request: string; readonly models: readonly string[] }
  | { readonly type: 'widgets_dropped'; readonly models: readonly string[] }
  | { readonly type: 'widgets_read'; readonly n: number }
  | { readonly type: 'comms'; readonly messages: readonly CommMessage[] }

export function isBlob(value: unknown): value is BlobRef {
  return typeof value === 'object' && value !== null && typeof (value as BlobRef).$blob === 'string'
}

/** nbformat's multi-line string as one string. */
export function joined(text: string | readonly string[]): string {
  return typeof text === 'string' ? text : text.join('')
}
