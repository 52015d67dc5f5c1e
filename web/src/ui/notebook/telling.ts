/** What a screen reader is told of runs and people, one sentence at a time: many short runs are told of together. */
import { t, tn } from '../../i18n'

/** What begins and ends within this time is told of once. */
export const GATHER_MS = 400
/** Between one sentence and the next. */
export const EVERY_MS = 2000
/** More than these are only counted. */
const NAMED_MAX = 3

export interface Told {
  readonly cell: string
  /** Its place in the notebook, from 1. */
  readonly number: number
  readonly state: 'running' | 'finished' | 'failed'
  /** The name of the error that it failed with. */
  readonly error?: string | undefined
}

export class Telling {
  private readonly runs = new Map<string, Told>()
  private people: string[] = []
  private timer: ReturnType<typeof setTimeout> | undefined
  private last = -Infinity

  constructor(private readonly say: (words: string) => void) {}

  /** A run began or ended; only the latest of a cell is told. */
  run(told: Told): void {
    this.runs.delete(told.cell)
    this.runs.set(told.cell, told)
    this.soon()
  }

  person(words: string): void {
    this.people.push(words)
    this.soon()
  }

  close(): void {
    clearTimeout(this.timer)
  }

  private soon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      this.last = Date.now()
      const words = [...this.people.slice(-NAMED_MAX), ...sentences([...this.runs.values()])].join('. ')
      this.people = []
      this.runs.clear()
      this.say(words)
    }, Math.max(GATHER_MS, this.last + EVERY_MS - Date.now()))
  }
}

function sentences(runs: readonly Told[]): string[] {
  const failed = runs.filter(({ state }) => state === 'failed')
  const done = runs.filter(({ state }) => state === 'finished')
  const running = runs.findLast(({ state }) => state === 'running')
  return [
    ...(failed.length > NAMED_MAX ? [tn('{count} cell failed', '{count} cells failed', failed.length)] : failed.map(({ number, error }) => (error === undefined ? t('Cell {number} failed', { number }) : t('Cell {number} failed: {error}', { number, error })))),
    ...(done.length > 1 ? [tn('{count} cell is done', '{count} cells are done', done.length)] : done.map(({ number }) => t('Cell {number} is done', { number }))),
    ...(running === undefined ? [] : [t('Cell {number} runs', { number: running.number })]),
  ]
}
