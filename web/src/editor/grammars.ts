/** Grammars of what other kernels speak, each fetched when it is first needed. */
import { StreamLanguage, type StreamParser } from '@codemirror/language'
import type { Extension } from '@codemirror/state'

export type ForeignGrammar = 'r' | 'shell' | 'julia' | 'javascript' | 'typescript' | 'ruby' | 'go'

const PARSERS: Readonly<Record<ForeignGrammar, () => Promise<StreamParser<unknown>>>> = {
  r: async () => (await import('@codemirror/legacy-modes/mode/r')).r as StreamParser<unknown>,
  shell: async () => (await import('@codemirror/legacy-modes/mode/shell')).shell as StreamParser<unknown>,
  julia: async () => (await import('@codemirror/legacy-modes/mode/julia')).julia as StreamParser<unknown>,
  javascript: async () => (await import('@codemirror/legacy-modes/mode/javascript')).javascript as StreamParser<unknown>,
  typescript: async () => (await import('@codemirror/legacy-modes/mode/javascript')).typescript as StreamParser<unknown>,
  ruby: async () => (await import('@codemirror/legacy-modes/mode/ruby')).ruby as StreamParser<unknown>,
  go: async () => (await import('@codemirror/legacy-modes/mode/go')).go as StreamParser<unknown>,
}

export async function foreign(language: ForeignGrammar): Promise<Extension> {
  return StreamLanguage.define(await PARSERS[language]())
}
