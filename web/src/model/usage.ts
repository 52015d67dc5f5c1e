/** What a runtime used over time, and how amounts of it are said. */
import { t } from '../i18n'
import { number } from '../i18n/formats'
import type { Usage } from './wire'

/** When (milliseconds), memory, percent of one processor, disk, percent of the accelerator; null where nobody counts. */
export type UsagePoint = readonly [at: number, memory: number | null, cpu: number | null, disk: number | null, gpu: number | null]

const KEPT_MS = 3_600_000
const EVERY_MS = 10_000

export function pointOf({ at, memory_bytes, cpu_percent, disk_bytes, gpus }: Usage): UsagePoint {
  return [at, memory_bytes, cpu_percent, disk_bytes, gpus[0]?.percent ?? null]
}

/** The last hour with one point more; of points within ten seconds the latest stays. */
export function added(points: readonly UsagePoint[], point: UsagePoint): readonly UsagePoint[] {
  const slot = Math.floor(point[0] / EVERY_MS)
  const kept = points.filter(([at]) => at > point[0] - KEPT_MS && at <= point[0] && Math.floor(at / EVERY_MS) !== slot)
  return [...kept, point]
}

/** What the server kept, continued by what this page saw since. */
export function continued(kept: readonly UsagePoint[], seen: readonly UsagePoint[]): readonly UsagePoint[] {
  const last = kept.at(-1)?.[0] ?? -Infinity
  return [...kept, ...seen.filter(([at]) => at > last)]
}

/** Part of a whole from 0 to 1; nothing of nothing is nothing. */
export function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0
}

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const
const STEP = 1024

/** A size as memory is measured, where a GB has 1024 MB. */
export function sizeText(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log(bytes) / Math.log(STEP)))
  const value = bytes / STEP ** unit
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : short(value)} ${UNITS[unit]}`
}

/** One decimal, unless there are two digits and nothing behind them. */
function short(value: number): string {
  return number(value, { maximumFractionDigits: 1, minimumFractionDigits: value >= 9.95 ? 0 : 1 })
}

const MEGABYTE = STEP ** 2
const GIGABYTE = STEP ** 3

/** "1.2 of 8.0 GB"; little of much as "38 MB of 8.0 GB", and where there is less than a GB in all, "38 of 512 MB". */
export function ofText(part: number, whole: number): string {
  if (whole < GIGABYTE) return t('{part} of {whole}', { part: Math.round(part / MEGABYTE), whole: `${Math.round(whole / MEGABYTE)} MB` })
  if (part < GIGABYTE / 10) return t('{part} of {whole}', { part: `${Math.round(part / MEGABYTE)} MB`, whole: `${gigabytes(whole)} GB` })
  return t('{part} of {whole}', { part: gigabytes(part), whole: `${gigabytes(whole)} GB` })
}

function gigabytes(bytes: number): string {
  const value = bytes / GIGABYTE
  return value >= 99.95 ? String(Math.round(value)) : short(value)
}

/** "1:05", counting down; never below zero. */
export function countdown(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000))
  const minutes = Math.floor(seconds / 60)
  const two = (n: number) => String(n).padStart(2, '0')
  return minutes < 60 ? `${minutes}:${two(seconds % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`
}

/** A length of time in its largest two units: "2 h 5 min". */
export function spanText(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000)
  if (minutes < 1) return t('less than a minute')
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  const days = Math.floor(hours / 24)
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`
}
