import { describe, expect, test } from 'vitest'
import { beside, fileOf, Modules } from './amd'

const from = (files: Readonly<Record<string, string>>) => {
  const asked: string[] = []
  const modules = new Modules(async (path) => {
    asked.push(path)
    if (files[path] === undefined) throw new Error(`${path} is missing`)
    return files[path]
  })
  return { modules, asked }
}

describe('scripts of widget packages', () => {
  test('get what they need, each once', async () => {
    const { modules, asked } = from({
      'one/index.js': 'define(["@jupyter-widgets/base", "./part"], (base, part) => ({ sum: base.two + part.three }))',
      'one/part.js': 'define({ three: 3 })',
    })
    modules.provide('@jupyter-widgets/base', { two: 2 })

    expect(await Promise.all([modules.load('one'), modules.load('one')])).toEqual([{ sum: 5 }, { sum: 5 }])
    expect(asked).toEqual(['one/index.js', 'one/part.js'])
  })

  test('may fill exports, and may have a name and no list', async () => {
    const { modules } = from({
      'filled/index.js': 'define("filled", ["exports"], (exports) => { exports.here = 1 })',
      'plain/index.js': 'define(function (require, exports, module) { module.exports = { id: module.id } })',
    })

    expect(await modules.load('filled')).toEqual({ here: 1 })
    expect(await modules.load('plain')).toEqual({ id: 'plain' })
  })

  test('that could not be had are asked for again', async () => {
    const files: Record<string, string> = {}
    const { modules } = from(files)
    await expect(modules.load('late')).rejects.toThrow('late/index.js is missing')
    files['late/index.js'] = 'define({ here: true })'

    expect(await modules.load('late')).toEqual({ here: true })
  })

  test('that define nothing are refused', async () => {
    const { modules } = from({ 'odd/index.js': 'var nothing = 1' })

    await expect(modules.load('odd')).rejects.toThrow('defines no module')
  })

  test('are named as Jupyter names them', () => {
    expect(fileOf('bqplot')).toBe('bqplot/index.js')
    expect(fileOf('@scope/thing')).toBe('@scope/thing/index.js')
    expect(fileOf('@scope/thing/part')).toBe('@scope/thing/part.js')
    expect(beside('one', './part.js')).toBe('one/part')
    expect(beside('one/deep/part', '../other')).toBe('one/other')
  })
})
