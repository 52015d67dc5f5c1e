import { describe, expect, test } from 'vitest'
import { savedModels } from './saved'

const STATE = 'application/vnd.jupyter.widget-state+json'
const entry = (name: string, state: Readonly<Record<string, unknown>> = {}) => ({ model_name: name, model_module: 'm', model_module_version: '1', state })
const states = {
  box: entry('VBoxModel', { children: ['IPY_MODEL_a', 'IPY_MODEL_b'] }),
  a: entry('LabelModel'),
  b: { ...entry('ImageModel'), buffers: [{ path: ['value'], data: 'AQI=', encoding: 'base64' }] },
  link: entry('LinkModel', { source: ['IPY_MODEL_a', 'value'], target: ['IPY_MODEL_b', 'value'] }),
  other: entry('LabelModel'),
  ring: entry('VBoxModel', { children: ['IPY_MODEL_ring'] }),
}

describe('states of widgets in a file', () => {
  test.each([
    ['as Jupyter writes them', { [STATE]: { version_major: 2, version_minor: 0, state: states } }],
    ['as Colab writes them', { [STATE]: states }],
  ])('%s are found with all they refer to', (_, widgets) => {
    const found = savedModels(widgets, ['box'])

    expect(found.map(({ id }) => id).sort()).toEqual(['a', 'b', 'box', 'link'])
    expect(found.every(({ live }) => !live)).toBe(true)
    const image = found.find(({ id }) => id === 'b')
    expect(image?.state._model_name).toBe('ImageModel')
    expect([...new Uint8Array(image?.buffers[0]?.[1] ?? new ArrayBuffer(0))]).toEqual([1, 2])
  })

  test('that refer to themselves are found once', () => {
    expect(savedModels({ [STATE]: { state: states } }, ['ring']).map(({ id }) => id)).toEqual(['ring'])
  })

  test.each([null, 7, [], { [STATE]: null }, { [STATE]: { state: { box: 7 } } }])('of no sense are none: %j', (widgets) => {
    expect(savedModels(widgets, ['box'])).toEqual([])
  })
})
