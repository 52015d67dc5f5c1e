/** The panels at the left of the cells, each once: the rail, the View menu and the page are made of them. */
import { Braces, CodeXml, FolderOpen, History, List, type LucideIcon } from 'lucide-react'
import type { ComponentType } from 'react'
import { later } from '../kit'

export interface Side {
  readonly id: string
  /** In English. */
  readonly name: string
  readonly icon: LucideIcon
  readonly needs?: 'run' | 'write'
  /** Drawn from when it is first asked for; it is hidden while another is shown. */
  readonly part: ComponentType
}

export const SIDES: readonly Side[] = [
  { id: 'contents', name: 'Table of contents', icon: List, part: later(() => import('../contents/ContentsPanel')) },
  { id: 'files', name: 'Files', icon: FolderOpen, needs: 'run', part: later(() => import('../files/FilesPanel')) },
  { id: 'snippets', name: 'Code snippets', icon: CodeXml, part: later(() => import('../snippets/SnippetsPanel')) },
  { id: 'variables', name: 'Variables', icon: Braces, needs: 'run', part: later(() => import('../variables/VariablesPanel')) },
  { id: 'executed', name: 'Executed code history', icon: History, needs: 'write', part: later(() => import('../executed/ExecutedPanel')) },
]
