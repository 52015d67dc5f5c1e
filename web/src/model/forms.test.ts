import { describe, expect, it } from 'vitest'
import { BLANK, draftOf, lineOf, pastedOptions, problemOf } from '../ui/forms/describe'
import { formMode, hasForm } from './formMark'
import { isOn, optionCode, type Param, parseForm, shownValue, written } from './forms'
import { literalText, quoted } from './pythonLiteral'
import { RelaxedReader } from './relaxed'

const only = (line: string): Param => parseForm(line)!.rows[0] as Param

describe('the grammar as lessons write it', () => {
  it.each<[string, Partial<Param>]>([
    ['text = "v" # @param {type:"string"}', { name: 'text', type: 'string', code: '"v"' }],
    ["text = 'v' #@param {type: 'string', placeholder: 'a name'}", { type: 'string', placeholder: 'a name' }],
    ['x = 1 #@param {"type":"slider", "min":0, "max":10, "step":0.5}', { type: 'slider', min: 0, max: 10, step: 0.5 }],
    ['x=-3 #@param {type:"integer", min:-5}', { type: 'integer', code: '-3', min: -5 }],
    ['d = "2026-01-31" # @param {type:"date"}', { type: 'date' }],
    ['b = True #@param {type:"boolean"}', { type: 'boolean', code: 'True' }],
    ['r = [1, 2] # @param {type:"raw"}', { type: 'raw', code: '[1, 2]' }],
    ['c = "a" #@param ["a", "b"]', { options: ['a', 'b'], type: 'string', allowInput: false }],
    ['c = "a" #@param ["a", "b"] {allow-input: true}', { options: ['a', 'b'], allowInput: true }],
    ['c = "a" #@param {"allow-input": true} ["a", "b"]', { options: ['a', 'b'], allowInput: true }],
    ['c = 1 #@param [1, "raw_input", "False"] {type:"raw"}', { options: [1, 'raw_input', 'False'], type: 'raw' }],
    ['c = "x" #@param ["x", "y",] {type:"string"} how it is read', { options: ['x', 'y'], type: 'string' }],
    ['x = 5 #@param', { type: 'integer', code: '5' }],
    ['x = 1e-3 #@param', { type: 'number' }],
    ['x = "t" #@param', { type: 'string' }],
    ['x = False #@param', { type: 'boolean' }],
    ['x = other #@param', { type: 'raw', code: 'other' }],
    ['    inner = "a#b" # @param {type:"string"}', { name: 'inner', code: '"a#b"' }],
    ['x: int = 5 # @param {type:"integer"}', { name: 'x', code: '5' }],
    ['config["rate"] = 0.1 #@param {type:"number"}', { name: 'config["rate"]', code: '0.1' }],
    ['größe = 2 #@param {type:"number"}', { name: 'größe' }],
    ['s = """a # b""" #@param {type:"string"}', { code: '"""a # b"""' }],
    ['x = "" #@param {type:"string", isTemplate: true}', { type: 'string', code: '""' }],
    ['x = 5 #@param {type:"nonsense"}', { type: 'integer' }],
    ['x = 5 #@param {type:"slider", min:0, max:', { type: 'integer' }],
  ])('%s', (line, expected) => {
    expect(only(line)).toMatchObject(expected)
  })

  it.each(['x == 5 #@param', '"x = 5 #@param"', 'print("#@param")', 'x = "#@param"', '# x = 5 #@param', 'x = #@param', ''])('no field: %s', (line) => {
    expect(parseForm(line)).toBeNull()
  })

  it('finds title, notes and fields with their lines', () => {
    const form = parseForm('#@title  The loss { display-mode: "form", run: "auto", form-width: "50%" }\nimport x\n# @markdown ---\n#@markdown ## Rates\na = 1 # @param {type:"number"}\n# @title another')!
    expect(form.title).toEqual({ line: 0, text: 'The loss', auto: true, width: '50%' })
    expect(form.rows.map(({ kind, line }) => [kind, line])).toEqual([['markdown', 2], ['markdown', 3], ['param', 4]])
  })

  it('leaves braces in a title that are no options', () => {
    expect(parseForm('# @title Sets like {a, b}')!.title!.text).toBe('Sets like {a, b}')
    expect(parseForm('# @title T { form-width: "1px; background: url(x)" }')!.title!.width).toBeNull()
  })

  it('says how a cell is shown: the title before the metadata', () => {
    expect(formMode('x = 1', 'form')).toBeNull()
    expect(formMode('#@title T', 'form')).toBe('form')
    expect(formMode('#@title T', 'hidden')).toBe('both')
    expect(formMode('#@title T { display-mode: "both" }', 'form')).toBe('both')
    expect(formMode("# @title T {display-mode:'form'}", undefined)).toBe('form')
    expect(hasForm('user@title')).toBe(false)
  })
})

describe('what is written into the code', () => {
  it('replaces the value and nothing else', () => {
    const source = 'a = 1\nname = "Ada" # @param {type:"string"}\nb = 2'
    const param = parseForm(source)!.rows[0] as Param
    expect(source.slice(param.from, param.to)).toBe('"Ada"')
  })

  it('gives back the field it wrote, whatever a person types', () => {
    const texts = ['', 'a"b', "it's", 'back\\slash', '#@param ["x"]', '"""', "'''", 'tab\there', '𝒳 ünï', '\\', '${x} {y} %s', '</script>']
    for (const quote of ['"old"', "'old'", 'r"old"', "'''old'''"]) {
      for (const text of texts) {
        const line = (value: string) => `x = ${value} # @param {type:"string"}`
        const code = written(only(line(quote)), text)!
        const again = only(line(code))
        expect([again.code, shownValue(again)]).toEqual([code, text])
      }
    }
  })

  it('refuses what does not fit', () => {
    expect(written(only('x = 1 #@param {type:"integer"}'), '1.5')).toBeNull()
    expect(written(only('x = 1 #@param {type:"number"}'), '')).toBeNull()
    expect(written(only('x = 1 #@param {type:"number"}'), '__import__("os")')).toBeNull()
    expect(written(only('x = 1 #@param {type:"raw"}'), '5 # gone')).toBeNull()
    expect(written(only('x = 1 #@param {type:"raw"}'), '"#" + y')).toBe('"#" + y')
    expect(written(only('x = 1 #@param {type:"raw"}'), ' ')).toBe('None')
    expect(written(only('x = "" #@param {type:"date"}'), '2026-13')).toBeNull()
  })

  it('writes options in their own kind', () => {
    const raw = only('x = 1 #@param [1, "raw_input", "False"] {type:"raw"}')
    expect(raw.options!.map((option) => optionCode(raw, option))).toEqual(['1', 'raw_input', 'False'])
    const plain = only("x = 'a' #@param ['a', \"it's\", 2, True]")
    expect(plain.options!.map((option) => optionCode(plain, option))).toEqual(["'a'", '"it\'s"', '2', 'True'])
    expect(isOn(only('x = True #@param {type:"boolean"}'))).toBe(true)
  })
})

describe('literals and relaxed JSON', () => {
  it.each([['"a\\n\\x41\\u00e9\\U0001F600"', 'a\nAé😀'], ["r'\\d+'", '\\d+'], ['f"{x}"', null], ['"a" "b"', null], ['b"x"', null], ['"\\"', null], ['x', null]])('%s', (code, text) => {
    expect(literalText(code)).toBe(text)
  })

  it('keeps single quotes where they serve', () => {
    expect([quoted('a', "'b'"), quoted("it's", "'b'"), quoted('a', '"b"')]).toEqual(["'a'", '"it\'s"', '"a"'])
  })

  it('reads what people write, and nothing that is not whole', () => {
    const read = (text: string) => new RelaxedReader(text).next()
    expect(read(`{type: 'x', "a-b": [1, -2.5e3, True, None,], }`)).toEqual({ type: 'x', 'a-b': [1, -2500, true, null] })
    expect([read('[1, 2'), read('{a}'), read('x'), read(''), read('['.repeat(5000))]).toEqual([undefined, undefined, undefined, undefined, undefined])
    expect(Object.getPrototypeOf(read('{__proto__: {polluted: 1}}') as object)).toBe(Object.prototype)
  })
})

describe('the dialog', () => {
  it('writes a line that reads back as the same field', () => {
    for (const line of [
      'a = "x" # @param ["x","y"] {"allow-input":true}', 'b = 3 # @param {"type":"slider","min":0,"max":9,"step":1}',
      'c = "" # @param {"type":"string","placeholder":"a \\"name\\""}', 'd = True # @param {"type":"boolean"}',
    ]) expect(lineOf(draftOf(only(line)), only(line).code)).toBe(line)
  })

  it('asks for what is missing', () => {
    expect(problemOf(BLANK)).toBe('name')
    expect(problemOf({ ...BLANK, name: '1x' })).toBe('name')
    expect(problemOf({ ...BLANK, name: 'x', kind: 'dropdown' })).toBe('options')
    expect(problemOf({ ...BLANK, name: 'x', kind: 'slider', min: '9', max: '1' })).toBe('range')
    expect(problemOf({ ...BLANK, name: 'x', kind: 'slider' })).toBeNull()
    expect(lineOf({ ...BLANK, name: 'x', kind: 'slider', min: '2' }, null)).toBe('x = 2 # @param {"type":"slider","min":2,"max":100,"step":1}')
    expect(pastedOptions('["a", 2]')).toBe('a\n2')
  })
})
