/** Every command once. Menus, toolbars, the palette, the keyboard, the shortcut editor and the help pages are made of it. */
import { BESIDE } from './beside'
import { CELLS } from './cells'
import { CODE } from './code'
import { EDIT } from './edit'
import { FILE } from './file'
import { FIND } from './find'
import { FORMATTING } from './formatting'
import { FORMS } from './forms'
import { INSERT } from './insert'
import type { Command } from './model'
import { OUTPUTS } from './outputs'
import { RUNTIME } from './runtime'
import { SECTIONS } from './sections'
import { TEXT } from './text'
import { TOOLS } from './tools'
import { VIEW } from './view'

export const COMMANDS: readonly Command[] = [...FILE, ...EDIT, ...OUTPUTS, ...TEXT, ...FORMATTING, ...FIND, ...VIEW, ...SECTIONS, ...INSERT, ...FORMS, ...BESIDE, ...RUNTIME, ...CODE, ...TOOLS, ...CELLS]
