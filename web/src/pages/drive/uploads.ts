/** The uploads of this tab: a few at a time, each with its progress, until the person clears them. */
import { ApiError } from '../../api/client'
import { mergedText, mergeFile, type Upload, uploadFile } from '../../api/upload'

export type UploadState = 'waiting' | 'sending' | 'done' | 'failed' | 'cancelled'

export interface Uploading {
  readonly key: number
  readonly name: string
  readonly size: number
  readonly state: UploadState
  /** How much has left, 0 to 1. */
  readonly share: number
  readonly error?: string
  /** The item it became. */
  readonly item?: string
  /** What became of it, when that is more than being there. */
  readonly note?: string
}

const TOGETHER_MAX = 3

type Sender = typeof uploadFile

export class Uploads {
  private list: readonly Uploading[] = []
  private readonly files = new Map<number, { file: File; folder: string; into: string | null; upload?: Upload<unknown> }>()
  private readonly listeners = new Set<() => void>()
  private last = 0
  /** Called after each upload that arrived. */
  onArrived: () => void = () => {}

  constructor(private readonly send: Sender = uploadFile) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  readonly snapshot = (): readonly Uploading[] => this.list

  /** Uploads files to a folder, or merges them into a notebook that is there. */
  add(files: readonly File[], folder: string, into: string | null = null): void {
    const added = files.map((file): Uploading => {
      const key = ++this.last
      this.files.set(key, { file, folder, into })
      return { key, name: file.name, size: file.size, state: 'waiting', share: 0 }
    })
    this.set([...this.list, ...added])
    this.next()
  }

  cancel(key: number): void {
    const upload = this.files.get(key)?.upload
    if (upload) upload.cancel()
    else this.change(key, { state: 'cancelled' })
  }

  retry(key: number): void {
    this.change(key, { state: 'waiting', share: 0 })
    this.next()
  }

  /** Forgets what has ended. */
  clear(): void {
    const stays = this.list.filter(({ state }) => state === 'waiting' || state === 'sending')
    for (const { key } of this.list) if (!stays.some((one) => one.key === key)) this.files.delete(key)
    this.set(stays)
  }

  private next(): void {
    const sending = this.list.filter(({ state }) => state === 'sending').length
    for (const { key } of this.list.filter(({ state }) => state === 'waiting').slice(0, TOGETHER_MAX - sending)) void this.start(key)
  }

  private async start(key: number): Promise<void> {
    const entry = this.files.get(key)
    if (entry === undefined) return
    this.change(key, { state: 'sending' })
    const progress = (share: number) => this.change(key, { share })
    try {
      if (entry.into === null) {
        const upload = this.send(entry.file, entry.folder, progress)
        entry.upload = upload
        const { id, name } = await upload.done
        this.change(key, { state: 'done', share: 1, item: id, name })
      } else {
        const upload = mergeFile(entry.file, entry.into, progress)
        entry.upload = upload
        const { overlaps } = await upload.done
        this.change(key, { state: 'done', share: 1, item: entry.into, note: mergedText(overlaps) })
      }
      this.files.delete(key)
      this.onArrived()
    } catch (error) {
      delete entry.upload
      if (error instanceof ApiError && error.code === 'cancelled') this.change(key, { state: 'cancelled' })
      else this.change(key, { state: 'failed', error: error instanceof Error ? error.message : String(error) })
    }
    this.next()
  }

  private change(key: number, to: Partial<Uploading>): void {
    this.set(this.list.map((one) => (one.key === key ? { ...one, ...to } : one)))
  }

  private set(list: readonly Uploading[]): void {
    this.list = list
    for (const listener of this.listeners) listener()
  }
}

/** One for the tab: going to another folder stops no upload. */
export const uploads = new Uploads()
