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
  /** Where it means something: in a cell's text, outside of it, or both. */
  readonly where: Where
}
export type Where = 'text' | 'cells' | 'both'

export function whereOf(command: Command, keys: string): Where {
  if (command.outside === true || types(parse(keys)[0]!)) return 'cells'
  return command.inside === true ? 'text' : 'both'
}

export function bindingsOf(commands: readonly Command[], keys: Keys): readonly Binding[] {
  return commands.flatMap((command) => keysOf(command, keys).map((text) => ({ command, strokes: parse(text), where: whereOf(command, text) })))
}

/** The other commands that these keys cannot tell from this one. */
export function rivals(commands: readonly Command[], keys: Keys, command: Command, text: string): readonly Command[] {
  const apart = (other: Command, theirs: string) => [whereOf(command, text), whereOf(other, theirs)].sort().join() === 'cells,text'
  return commands.filter((other) => other.id !== command.id && keysOf(other, keys).some((theirs) => collide(theirs, text) && !apart(other, theirs)))
}
