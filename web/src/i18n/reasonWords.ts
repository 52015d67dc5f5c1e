/** The English of the server's reasons, for the catalogues, by its codes (`ground/reasons.py`). Fetched with another language alone. */
import { sizeText } from '../model/usage'
import { number } from './formats'
import { msg, t, translated } from './index'
import { PROBLEMS } from './problemWords'
import type { Why } from './reasons'

export const REASONS: Readonly<Record<string, string>> = {
  // A kernel.
  shut_down: msg('shut down'),
  restarted: msg('the kernel was restarted'),
  out_of_memory: msg('killed: out of memory'),
  out_of_memory_of: msg('killed: out of memory (used {memory_used} of {memory_limit})'),
  probably_out_of_memory: msg('killed: probably out of memory (used {memory_used} of {memory_limit})'),
  memory_uncounted: msg('killed: most likely it ran out of memory, which is not counted here'),
  killed: msg('killed (signal 9)'),
  crashed: msg('the kernel crashed: {signal}'),
  signalled: msg('the kernel was ended by a signal: {signal}'),
  ended: msg('the kernel ended'),
  exited: msg('the kernel ended: exit()'),
  exited_with: msg('the kernel ended by itself: exit code {status}'),
  terminated: msg('terminated: the cell did not stop within {seconds} s'),
  terminated_at_once: msg('terminated: it was stopped a second time'),

  // An execution.
  stopped: msg('stopped'),
  before_failed: msg('a cell before it failed'),
  aborted: msg('aborted by the kernel'),
  unseen: msg('the end of this run was not seen'),
  started_anew: msg('the runtime was started anew'),

  // A runtime, as a session tells it.
  runtime_given_back: msg('the runtime was given back'),
  runtime_taken_back: msg('the runtime was taken back: {because}'),
  runtime_ended: msg('the runtime ended'),
  runtime_ended_because: msg('the runtime ended: {because}'),
  malformed: msg('the runtime does not answer as it should: {what}'),

  // A runtime, as it is written down with it.
  given_back_by_user: msg('its user gave it back'),
  sealed: msg('what was installed in it is kept'),
  idle: msg('it was not used for {duration_ms}'),
  lifetime: msg('its time was over: it was lent for {duration_ms}'),
  machine_restarted: msg('the machine was restarted'),
  ended_unseen: msg('it ended while the server was not running'),
  request_lost: msg('the server ended while it was requested'),
  request_given_up: msg('the request was given up'),

  // The engine's words.
  runtime_out_of_memory: msg('it ran out of memory (limit {mebibytes} MiB)'),
  first_process: msg('its first process ended'),
  first_process_status: msg('its first process ended (status {status})'),
  engine_away: msg('it ended while the engine was not running'),

  // What was asked for and could not be had, and what is used instead.
  runtime_type_none: msg('There is no runtime type “{type}” here: {usual} is used.'),
  runtime_version_none: msg('There is no runtime version “{version}” here: {usual} is used.'),
  runtime_kernel_none: msg('There is no kernel “{kernel}” in this runtime version: {usual} is used.'),
  runtime_type_away_because: msg('You cannot have the runtime type “{type}” now: {because}. {usual} is used.'),
  runtime_type_away: msg('You cannot have the runtime type “{type}” now: {usual} is used.'),
  high_ram_none: msg('The notebook asks for a runtime with high RAM, and there is none here: {usual} is used.'),
  high_ram_away_because: msg('You cannot have a runtime with high RAM now: {because}. {usual} is used.'),
  high_ram_away: msg('You cannot have a runtime with high RAM now: {usual} is used.'),
  accelerator_none: msg('The notebook asks for an accelerator ({accelerator}): {because}. {usual} is used.'),
  accelerator_other: msg('The notebook asks for {accelerator}, which cannot be had here: {usual} is used.'),
  none_here: msg('there is none here'),
  network_none: msg('It has no network here: this machine cannot make one of kind “{network}”.'),
  without_environment: msg('This runtime is without the notebook’s own environment: {because}'),

  // What is being done until a runtime is there.
  environment_begun: msg('Building the notebook’s environment'),
  environment_built: msg('Building the notebook’s environment: {line}'),
  version_built: msg('Building runtime version {version} with {program}'),
  fonts_listed: msg('Listing fonts'),
}

/** What systems call the signals that end a process. */
export const SIGNALS: Readonly<Record<string, string>> = Object.fromEntries([
  msg('segmentation fault'),
  msg('aborted'),
  msg('bus error'),
  msg('arithmetic error'),
  msg('illegal instruction'),
  msg('a system call that is not allowed'),
  msg('trap'),
  msg('terminated'),
  msg('killed'),
  msg('broken pipe'),
  msg('out of processor time'),
].map((words) => [words, words]))

/** A reason in the page's language; undefined where that has no words for it, or less came than they need. */
export function reasonIn(why: Why): string | undefined {
  const { code } = why
  const table = typeof code === 'string' ? [REASONS, PROBLEMS].find((one) => Object.hasOwn(one, code)) : undefined
  const english = table?.[code as string]
  if (english === undefined || !translated(english)) return undefined
  const values = [...english.matchAll(/\{(\w+)\}/g)].map(([, hole]) => [hole!, shown(hole!, why[hole!])] as const)
  if (values.some(([, value]) => value === undefined)) return undefined
  return t(english, Object.fromEntries(values as [string, string][]))
}

function shown(hole: string, value: unknown): string | undefined {
  if (typeof value === 'object' && value !== null) return reasonIn(value as Why)
  if (typeof value === 'string') return Object.hasOwn(SIGNALS, value) ? t(value) : value
  if (typeof value !== 'number') return undefined
  if (hole === 'duration_ms') return span(value)
  return hole.startsWith('memory') ? sizeText(value) : number(value)
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** As the server says it: whole hours from two on, else minutes, else seconds. */
function span(milliseconds: number): string {
  const said = (value: number, unit: string) => number(Math.round(value), { style: 'unit', unit, unitDisplay: 'long' })
  if (milliseconds >= 2 * HOUR && milliseconds % HOUR === 0) return said(milliseconds / HOUR, 'hour')
  return milliseconds >= MINUTE ? said(milliseconds / MINUTE, 'minute') : said(milliseconds / 1000, 'second')
}
