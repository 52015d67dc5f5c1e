/** Every command once. Menus, toolbars, the palette, the keyboard, the shortcut editor and the help pages are made of it. */
import { CELLS } from './cells'
import { EDIT } from './edit'
import { FILE } from './file'
import { FORMS } from './forms'
import { INSERT } from './insert'
import type { Command } from './model'
import { RUNTIME } from './runtime'
import { TEXT } from './text'
import { TOOLS } from './tools'
import { VIEW } from './view'

export const COMMANDS: readonly Command[] = [...FILE, ...EDIT, ...TEXT, ...VIEW, ...INSERT, ...FORMS, ...RUNTIME, ...TOOLS, ...CELLS]
