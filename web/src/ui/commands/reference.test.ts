/** The pages of commands and shortcuts are made of the table: `vitest run src/ui/commands/reference.test.ts -u` writes them. */
import { beforeAll, expect, test, vi } from 'vitest'
import { parse, shown } from '../../model/shortcut'
import { DEFAULTS, type Settings } from '../../settings/model'
import { keysOf, rivals } from './keys'
import { type Command, MENUS } from './model'
import { PRESETS } from './presets'
import { COMMANDS } from './table'

const REFERENCE = '../../../../docs/reference'
const MADE = 'This page is made from the command table by `make reference`.'
const PRESET_NAMES = { default: 'Colab', jupyterlab: 'JupyterLab', vim: 'vim' } as const

beforeAll(() => vi.stubGlobal('navigator', { platform: 'Linux' }))

const keysIn = (preset: Settings['keys']['preset']) => ({ preset, bindings: {} })
const cells = (texts: readonly string[]) => texts.map((text) => `\`${shown(text, false).replaceAll('|', '\\|')}\``).join(', ')
const row = (...columns: readonly string[]) => `| ${columns.join(' | ')} |`
const needs = { write: 'edit', run: 'run', comment: 'comment' }

function places({ menu, under, also, cell, tool }: Command): string {
  return [menu && [menu, under].filter(Boolean).join(' › '), also?.menu, tool && 'tool bar', cell && 'menu of a cell'].filter(Boolean).join('; ')
}

test('docs/reference/commands.md', async () => {
  const lines = ['# Commands', '', 'Every command of an open notebook, with where it stands and what somebody must be allowed to do. All are in the palette', `(\`Ctrl+Shift+P\`). ${MADE}`]
  for (const menu of [...MENUS, undefined]) {
    const own = COMMANDS.filter((command) => command.menu === menu)
    lines.push('', `## ${menu ?? 'Without a menu'}`, '', row('command', 'id', 'keys', 'where', 'needs the right to'), '| --- | --- | --- | --- | --- |')
    lines.push(...own.map((command) => row(command.name, `\`${command.id}\``, cells(keysOf(command, keysIn('default'))), places(command), command.needs ? needs[command.needs] : '')))
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`${REFERENCE}/commands.md`)
})

test('docs/reference/shortcuts.md', async () => {
  const lines = [
    '# Keyboard shortcuts', '',
    'Chosen in `Settings › Keys`, where each command can be given others. On a Mac, Ctrl is Cmd, and `Ctrl+M` begins a chord as',
    'well. Keys that write, move or edit in a text work only outside of one: press Escape to leave it, Enter to come back.',
    `With \`vim\`, a cell's text has vim's own keys too. ${MADE}`, '',
    row('command', ...Object.values(PRESET_NAMES)), '| --- | --- | --- | --- |',
  ]
  const presets = Object.keys(PRESET_NAMES) as Settings['keys']['preset'][]
  for (const command of COMMANDS) {
    const keys = presets.map((preset) => cells(keysOf(command, keysIn(preset))))
    if (keys.some((text) => text !== '')) lines.push(row(command.name, ...keys))
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`${REFERENCE}/shortcuts.md`)
})

test('every command has an id, a name and keys of its own, in every preset', () => {
  const ids = COMMANDS.map(({ id }) => id)
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
  expect(ids.filter((id) => !/^[a-z0-9][a-z0-9-]{0,63}$/.test(id))).toEqual([])
  for (const preset of Object.keys(PRESETS) as Settings['keys']['preset'][]) {
    const keys = { ...DEFAULTS.keys, preset }
    const clashes = COMMANDS.flatMap((command) => keysOf(command, keys).flatMap((text) => rivals(COMMANDS, keys, command, text).map((other) => `${preset}: ${command.id} and ${other.id} by ${text}`)))
    expect(clashes).toEqual([])
  }
})

test('presets name commands that are there, in strokes that can be read', () => {
  const ids = new Set(COMMANDS.map(({ id }) => id))
  expect(Object.values(PRESETS).flatMap((preset) => Object.keys(preset)).filter((id) => !ids.has(id))).toEqual([])
  for (const command of COMMANDS) for (const text of keysOf(command, keysIn('vim'))) expect(parse(text).every(({ key }) => key !== '')).toBe(true)
})
