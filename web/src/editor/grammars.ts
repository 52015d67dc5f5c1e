/** Grammars of what other kernels speak and of files, each fetched when it is first needed. */
import { StreamLanguage, type StreamParser } from '@codemirror/language'
import type { Extension } from '@codemirror/state'

export type ForeignGrammar = 'r' | 'shell' | 'julia' | 'javascript' | 'typescript' | 'ruby' | 'go'
/** `code`: a language whose grammar is not known here. */
export type Grammar = 'python' | 'markdown' | 'plain' | 'code' | ForeignGrammar

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

type Load = () => Promise<Extension>
const stream = (load: () => Promise<StreamParser<unknown>>): Load => async () => StreamLanguage.define(await load())
const json = stream(async () => (await import('@codemirror/legacy-modes/mode/javascript')).json)
const javascript: Load = () => foreign('javascript')
const shell: Load = () => foreign('shell')
const yaml = stream(async () => (await import('@codemirror/legacy-modes/mode/yaml')).yaml)
const markup = (kind: 'html' | 'xml') => stream(async () => (await import('@codemirror/legacy-modes/mode/xml'))[kind])
const markdown: Load = async () => {
  const { markdown, markdownLanguage } = await import('@codemirror/lang-markdown')
  return markdown({ base: markdownLanguage })
}
const python: Load = async () => (await import('./python')).python()

const ENDINGS: Readonly<Record<string, Load>> = {
  py: python, pyi: python, md: markdown, markdown,
  js: javascript, mjs: javascript, ts: () => foreign('typescript'), json, ipynb: json, geojson: json,
  sh: shell, bash: shell, zsh: shell, yaml, yml: yaml,
  html: markup('html'), htm: markup('html'), xml: markup('xml'), svg: markup('xml'),
  css: stream(async () => (await import('@codemirror/legacy-modes/mode/css')).css),
  r: () => foreign('r'), jl: () => foreign('julia'), rb: () => foreign('ruby'), go: () => foreign('go'),
  sql: stream(async () => (await import('@codemirror/legacy-modes/mode/sql')).standardSQL),
  toml: stream(async () => (await import('@codemirror/legacy-modes/mode/toml')).toml),
  ini: stream(async () => (await import('@codemirror/legacy-modes/mode/properties')).properties),
  tex: stream(async () => (await import('@codemirror/legacy-modes/mode/stex')).stex),
}

/** The grammar of files whose name ends so; for all others, none. */
export async function byEnding(ending: string): Promise<Extension> {
  return Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending]!() : []
}
