/** The keys of the commands as they are in force: the person's own, else the preset's, else the table's. */
import { collide, parse, shown, type Stroke, types } from '../../model/shortcut'
import type { Settings } from '../../settings/model'
import { settings } from '../../settings/store'
import type { Command } from './model'
import { PRESETS } from './presets'

export const mac = /Mac|iPhone|iPad/.test(navigator.platform)

type Keys = Settings['keys']
const NONE: readonly string[] = []

export function keysOf({ id, keys }: Command, { preset, bindings }: Keys = settings.getState().keys): readonly string[] {
  return bindings[id] ?? presetKeys({ id, keys }, preset)
}

export function presetKeys({ id, keys }: Pick<Command, 'id'> & { readonly keys?: readonly string[] | undefined }, preset: Keys['preset']): readonly string[] {
  return PRESETS[preset][id] ?? keys ?? NONE
}

/** The first of them, as a menu shows it. */
export function keyShown(command: Command): string | undefined {
  const [first] = keysOf(command)
  return first === undefined ? undefined : shown(first, mac)
}

export interface Binding {
  readonly command: Command
  readonly strokes: readonly Stroke[]
  /** Means nothing in a cell's text. */
  readonly outside: boolean
}

export function bindingsOf(commands: readonly Command[], keys: Keys): readonly Binding[] {
  return commands.flatMap((command) =>
    keysOf(command, keys).map((text) => {
      const strokes = parse(text)
      return { command, strokes, outside: command.outside === true || types(strokes[0]!) }
    }),
  )
}

/** The other commands that these keys cannot tell from this one. */
export function rivals(commands: readonly Command[], keys: Keys, id: string, text: string): readonly Command[] {
  return commands.filter((other) => other.id !== id && keysOf(other, keys).some((theirs) => collide(theirs, text)))
}
