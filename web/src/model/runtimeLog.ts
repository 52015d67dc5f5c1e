/** The log of a runtime: what the server tells of it, in words. */
import { at as written } from '../i18n/formats'
import { msg, t } from '../i18n'
import { reasonText, type Why } from '../i18n/reasons'
import { sizeText } from './usage'

export type Level = 'info' | 'warning' | 'error'
export interface LogEntry {
  readonly n: number
  /** On the server's clock. */
  readonly at: number
  readonly level: Level
  /** What happened, by the server's code; what its words are about stands in `about`. */
  readonly what: string
  readonly about: Readonly<Record<string, unknown>>
}

/** How many entries the page keeps: as many as the server. */
export const ENTRIES_MAX = 2000

const WORDS: Readonly<Record<string, string>> = {
  interrupt: msg('Interrupted'),
  kernel_begun: msg('Kernel {kernel} is ready'),
  kernel_ended: msg('Kernel ended: {reason}'),
  notice: msg('The runtime will be taken back at {time}'),
  packages: msg('Packages changed: {packages}'),
  restart: msg('Kernel is restarted'),
  restart_for: msg('Kernel is restarted: {reason}'),
  runtime_ended: msg('Runtime ended: {reason}'),
  runtime_found: msg('Runtime found again after the server started: {type}, version {version}'),
  runtime_ready: msg('Runtime is ready: {type}, version {version}, {memory} RAM'),
  runtime_wanted: msg('{user} asks for a runtime: {type}, version {version}'),
}

export function entryText({ what, about }: LogEntry): string {
  // What was printed and what the server noted are told as they are.
  if (typeof about.text === 'string') return about.text
  const name = what === 'restart' && about.reason !== undefined ? 'restart_for' : what
  const english = Object.hasOwn(WORDS, name) ? WORDS[name]! : undefined
  return english === undefined ? `${what} ${JSON.stringify(about)}` : t(english, values(about))
}

function values(about: LogEntry['about']): Record<string, string> {
  const { memory_bytes, until, new: added = [], gone = [], reason, why, ...rest } = about
  return {
    ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, String(value)])),
    memory: typeof memory_bytes === 'number' ? sizeText(memory_bytes) : '?',
    time: typeof until === 'number' ? written('clock', until) : '?',
    packages: [...(added as string[]).map((one) => `+ ${one}`), ...(gone as string[]).map((one) => `− ${one}`)].join(', '),
    reason: reasonText({ reason: typeof reason === 'string' ? reason : null, why: (why ?? null) as Why | null }) ?? '?',
  }
}

export const levelText = (level: Level): string => (level === 'error' ? t('Error') : level === 'warning' ? t('Warning') : t('Info'))

/** Those that are at least as bad. */
export function atLeast(entries: readonly LogEntry[], level: Level): readonly LogEntry[] {
  const order: readonly Level[] = ['info', 'warning', 'error']
  return entries.filter((entry) => order.indexOf(entry.level) >= order.indexOf(level))
}

/** What was shown and what came; of a server that started anew only what came. */
export function followed(shown: readonly LogEntry[], came: readonly LogEntry[]): readonly LogEntry[] {
  return came.length === 0 ? shown : [...shown, ...came].slice(-ENTRIES_MAX)
}

/** A line each, for the clipboard and a file. */
export function logText(entries: readonly LogEntry[]): string {
  return entries.map((entry) => `${new Date(entry.at).toISOString()} ${entry.level.toUpperCase().padEnd(7)} ${entryText(entry)}\n`).join('')
}
