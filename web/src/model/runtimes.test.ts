import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { choose, chosen, languageOf, type RuntimeType } from './runtimes'
import { added, continued, countdown, ofText, share, sizeText, spanText, type UsagePoint } from './usage'

const type = (name: string, more: Partial<RuntimeType> = {}): RuntimeType => ({
  name, label: name, description: '', limits: { memory_bytes: 1, cpus: 1, processes: 1, disk_bytes: 1 }, network: 'internet', accelerator: null,
  available: true, reason: null, idle_seconds: 1, lifetime_seconds: null, default: name === 'cpu', ...more,
})
const TYPES = [type('cpu'), type('cpu-high-ram'), type('T4', { accelerator: { kind: 'gpu', count: 1, name: 'NVIDIA T4' } }), type('A100', { accelerator: { kind: 'gpu', count: 1, name: 'A100' } })]

function notebook(meta: Record<string, unknown>): Y.Doc {
  const doc = new Y.Doc()
  for (const [key, value] of Object.entries(meta)) doc.getMap('meta').set(key, value)
  return doc
}

test('a notebook of Colab is read as Colab wrote it', () => {
  const doc = notebook({ 'md:accelerator': 'GPU', 'md:colab': { gpuType: 'A100', runtime_attributes: { runtime_version: '2026.11' } }, 'md:kernelspec': { name: 'ir' } })

  expect(chosen(doc, TYPES)).toEqual({ type: 'A100', version: '2026.11', kernel: 'ir' })
})

test('a notebook that says nothing gets the usual, and one with strange words too', () => {
  expect(chosen(notebook({}), TYPES)).toEqual({ type: null, version: null, kernel: 'python3' })
  expect(chosen(notebook({ 'md:accelerator': 7, 'md:colab': ['x'], 'md:kernelspec': null }), TYPES)).toEqual({ type: null, version: null, kernel: 'python3' })
  expect(chosen(notebook({ 'md:accelerator': 'TPU' }), TYPES).type).toBeNull()
})

test('what is chosen is read back, and what stood there besides stays', () => {
  const doc = notebook({ 'md:colab': { provenance: [1], runtime_attributes: { other: 1 } } })
  for (const name of ['T4', 'cpu-high-ram', 'A100']) {
    choose(doc, { type: TYPES.find((one) => one.name === name)!, version: '2026.11', kernel: 'bash' })

    expect(chosen(doc, TYPES)).toEqual({ type: name, version: '2026.11', kernel: 'bash' })
    expect(doc.getMap('meta').get('md:colab')).toMatchObject({ provenance: [1], runtime_attributes: { other: 1 } })
  }
  expect(doc.getMap('meta').get('md:colab')).not.toHaveProperty('machine_shape')
  choose(doc, { type: null, version: null, kernel: 'python3' })

  expect(doc.getMap('meta').toJSON()).toEqual({
    'md:colab': { provenance: [1], runtime_attributes: { other: 1 } },
    'md:kernelspec': { name: 'python3', display_name: 'Python 3', language: 'python' },
    'md:language_info': { name: 'python' },
  })
})

test('choosing what is chosen already changes nothing', () => {
  const doc = notebook({ 'md:kernelspec': { name: 'python3', display_name: 'Mine' } })
  let updates = 0
  doc.on('update', () => updates++)
  choose(doc, { type: null, version: null, kernel: 'python3' })

  expect(updates).toBe(0)
})

test('the language is what the kernel speaks', () => {
  expect(languageOf(notebook({}))).toBe('python')
  expect(languageOf(notebook({ 'md:kernelspec': { name: 'ir' } }))).toBe('r')
  expect(languageOf(notebook({ 'md:kernelspec': { name: 'x', language: 'Julia' } }))).toBe('julia')
  expect(languageOf(notebook({ 'md:kernelspec': { name: 'x' }, 'md:language_info': { name: 'ruby' } }))).toBe('ruby')
})

test('usage is kept for an hour, one point in ten seconds', () => {
  let points: readonly UsagePoint[] = []
  for (let at = 0; at <= 4_000_000; at += 2000) points = added(points, [at, at, 0, 0, null])

  expect(points.length).toBe(361)
  expect(points.at(-1)![0]).toBe(4_000_000)
  expect(points[0]![0]).toBeGreaterThan(400_000)
  expect(continued([[1, 1, 1, 1, null], [20, 1, 1, 1, null]], [[20, 2, 2, 2, null], [30, 2, 2, 2, null]]).map(([at]) => at)).toEqual([1, 20, 30])
})

test('a clock that was set back leaves no points of the future', () => {
  expect(added([[50_000, 1, 1, 1, null]], [20_000, 2, 2, 2, null]).map(([at]) => at)).toEqual([20_000])
})

test('amounts are said as people say them', () => {
  expect([sizeText(0), sizeText(1536), sizeText(812 * 1024 ** 2), sizeText(2 * 1024 ** 3)]).toEqual(['0 bytes', '1.5 KB', '812 MB', '2.0 GB'])
  expect(ofText(1.2 * 1024 ** 3, 8 * 1024 ** 3)).toBe('1.2 of 8.0 GB')
  expect([ofText(38 * 1024 ** 2, 10 * 1024 ** 3), ofText(38 * 1024 ** 2, 512 * 1024 ** 2)]).toEqual(['38 MB of 10 GB', '38 of 512 MB'])
  expect(ofText(0.3 * 1024 ** 3, 10 * 1024 ** 3)).toBe('0.3 of 10 GB')
  expect([share(1, 0), share(3, 2), share(1, 4)]).toEqual([0, 1, 0.25])
  expect([countdown(-5), countdown(64_001), countdown(3_725_000)]).toEqual(['0:00', '1:05', '1:02:05'])
  expect([spanText(20_000), spanText(300_000), spanText(7_500_000), spanText(90_000_000)]).toEqual(['less than a minute', '5 min', '2 h 5 min', '1 d 1 h'])
})
