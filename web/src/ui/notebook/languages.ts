/** The languages that kernels speak: how they are called, and which grammar colours them. */
import type { Grammar } from '../../editor/editor'

const GRAMMARS: Readonly<Record<string, Grammar>> = {
  python: 'python', r: 'r', bash: 'shell', sh: 'shell', zsh: 'shell', julia: 'julia', javascript: 'javascript', typescript: 'typescript', ruby: 'ruby', go: 'go',
}

export const grammarOf = (language: string): Grammar => GRAMMARS[language] ?? 'code'

const LABELS: Readonly<Record<string, string>> = { javascript: 'JavaScript', typescript: 'TypeScript', 'c++': 'C++', sql: 'SQL' }

export const languageLabel = (language: string): string => LABELS[language] ?? `${language.charAt(0).toUpperCase()}${language.slice(1)}`
