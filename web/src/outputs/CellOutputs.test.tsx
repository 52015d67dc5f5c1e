// @vitest-environment jsdom
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Execution, Output } from '../model/wire'
import { CellOutputs, type CellOutputsProps } from './CellOutputs'
import { loadCleaner } from './cleaning'

const EXECUTION: Execution = { execution: 'e1', cell: 'c1', state: 'finished', user: null, count: 1, queued_at: 1, started_at: 1, finished_at: 2 }
const scripted: Output = { output_type: 'display_data', data: { 'text/html': '<script>1</script>' }, metadata: {} }
const printed = (text: string): Output => ({ output_type: 'stream', name: 'stdout', text })

let root: Root
let place: HTMLElement

beforeAll(loadCleaner)

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} }))
  // A browser may tell of two looks at once: before its box was laid out, and after.
  vi.stubGlobal('IntersectionObserver', class { constructor(private readonly seen: (entries: unknown[]) => void) {} observe() { this.seen([{ isIntersecting: false }, { isIntersecting: true }]) } disconnect() {} })
  place = document.createElement('div')
  document.body.append(place)
  root = createRoot(place)
})

afterEach(() => {
  act(() => root.unmount())
  place.remove()
  vi.unstubAllGlobals()
})

function show(props: Partial<CellOutputsProps>): void {
  act(() => root.render(<CellOutputs notebook="n1" cell="c1" execution={EXECUTION} outputs={[]} live onInput={() => {}} {...props} />))
}

describe('a cell’s outputs', () => {
  test('are a region named Output, and nothing at all when there is none', () => {
    show({ outputs: [] })
    expect(place.childElementCount).toBe(0)
    show({ outputs: [printed('hello\n')] })

    expect(place.querySelector('section')?.getAttribute('aria-label')).toBe('Output')
    expect(place.querySelector('.stream')?.textContent).toBe('hello\n')
  })

  test('grow in place', () => {
    show({ outputs: [printed('one\n')] })
    const node = place.querySelector('.stream-block')?.firstChild
    show({ outputs: [printed('one\ntwo\n')] })

    expect(place.querySelector('.stream-block')?.firstChild).toBe(node)
    expect(place.querySelector('.stream')?.textContent).toBe('one\ntwo\n')
  })

  test('made by a run here run their scripts in a frame at once', () => {
    show({ outputs: [scripted] })

    expect(place.querySelectorAll('iframe')).toHaveLength(1)
  })

  const sources = () => [...place.querySelectorAll('iframe')].map((frame) => frame.getAttribute('src')?.split('#')[0])

  test('that came with the file run in a frame without a network', () => {
    vi.stubGlobal('navigator', { userAgent: 'Chrome/156.0.0.0' })
    show({ outputs: [scripted], live: false })

    expect(sources()).toEqual(['/output-closed.html'])
  })

  test('that came with the file wait for a click where the browser cannot close the frame', () => {
    vi.stubGlobal('navigator', { userAgent: 'Firefox/150.0' })
    show({ outputs: [scripted], live: false })
    expect(place.querySelector('iframe')).toBeNull()
    act(() => [...place.querySelectorAll('button')].find((one) => one.textContent === 'Show output')?.click())

    expect(sources()).toEqual(['/output-closed.html'])
  })

  test('of a run here have a network', () => {
    show({ outputs: [scripted] })

    expect(sources()).toEqual(['/output.html'])
  })

  test('are shown from both ends when there are very many, and all of them when asked for', () => {
    show({ outputs: Array.from({ length: 330 }, (_, at) => ({ output_type: 'display_data', metadata: {}, data: { 'text/plain': `<${at}>` } })) })
    expect(place.querySelectorAll('.output-rich')).toHaveLength(100)
    expect(place.querySelector('.stream-gap:not([hidden])')?.textContent).toContain('230 more outputs')
    expect(place.textContent).toContain('<59>')
    expect(place.textContent).toContain('<290>')
    expect(place.textContent).not.toContain('<60>')
    act(() => [...place.querySelectorAll('button')].find((one) => one.textContent === 'Show 200')?.click())
    act(() => [...place.querySelectorAll('button')].find((one) => one.textContent === 'Show 30')?.click())

    expect(place.querySelectorAll('.output-rich')).toHaveLength(330)
  })

  test('that the server did not keep are a note, not an output', () => {
    show({ outputs: [{ output_type: 'display_data', data: { 'text/plain': 'x' }, metadata: { collegium: { omitted_outputs: 8000 } } }] })

    expect(place.querySelector('.stream-gap')?.textContent).toMatch(/8,?000 more outputs were not kept/)
    expect(place.querySelector('.stream-gap a')?.getAttribute('href')).toBe('/api/v1/notebooks/n1/executions/e1/log')
  })

  test('that failed lead to the cell and line of each frame', () => {
    const places: unknown[] = []
    show({
      outputs: [{ output_type: 'error', ename: 'E', evalue: 'no', traceback: ['\x1b[31mE\x1b[0m', 'Cell \x1b[32mIn[3]\x1b[39m\x1b[32m, line 5\x1b[39m\n----> 5 x', 'File /content/a.py:7, in f()\n----> 7 y', 'E: no'] }],
      onPlace: (at) => places.push(at),
    })
    const links = [...place.querySelectorAll<HTMLButtonElement>('.traceback-link')]
    for (const link of links) link.click()

    expect(links.map((link) => link.textContent)).toEqual(['Cell In[3], line 5', 'File /content/a.py:7'])
    expect(places).toEqual([{ kind: 'cell', count: 3, line: 5 }, { kind: 'file', path: '/content/a.py', line: 7 }])
    expect(place.querySelector('.traceback')?.textContent).toContain('----> 7 y')
  })

  test('that failed for want of a package offer to write the cell that installs it', async () => {
    const wanted: string[] = []
    const output = { output_type: 'error', ename: 'ModuleNotFoundError', evalue: "No module named 'cv2'", traceback: ['x'] } as const
    show({ outputs: [output], onInstall: (name) => wanted.push(name) })
    const button = () => [...place.querySelectorAll('button')].find((one) => one.textContent === 'Install opencv-python-headless')
    await vi.waitFor(async () => {
      await act(async () => undefined)
      expect(button()).toBeDefined()
    })
    act(() => button()?.click())
    show({ outputs: [output] })

    expect(wanted).toEqual(['opencv-python-headless'])
    expect(button()).toBeUndefined()
  })

  test('left out in the middle say how much, and lead to the whole', () => {
    show({ outputs: [{ output_type: 'stream', name: 'stdout', text: 'a\nb\n', omitted: { bytes: 25_000_000, at: 2 } }] })

    expect(place.querySelector('.stream-gap')?.textContent).toContain('25.0 MB')
    expect(place.querySelector('.stream-gap a')?.getAttribute('href')).toBe('/api/v1/notebooks/n1/executions/e1/log')
  })

  test('on the server are fetched from there', () => {
    show({ outputs: [{ output_type: 'display_data', metadata: {}, data: { 'image/png': { $blob: 'ab12', size: 70_000, mime: 'image/png' } } }] })

    expect(place.querySelector('img')?.getAttribute('src')).toBe('/api/v1/notebooks/n1/blobs/ab12')
  })

  test('that are drawings are pictures, not parts of the page', () => {
    show({ outputs: [{ output_type: 'display_data', metadata: {}, data: { 'image/svg+xml': '<svg onload="x"/>' } }] })

    expect(place.querySelector('svg[onload]')).toBeNull()
    expect(place.querySelector('img')?.src).toContain('data:image/svg+xml')
  })
})

describe('a cell that asks', () => {
  test.each([
    [false, 'text'],
    [true, 'password'],
  ])('password %s: a %s field named by the prompt, answered once', (password, type) => {
    const answers: string[] = []
    show({ execution: { ...EXECUTION, state: 'running', input: { prompt: 'Name: ', password } }, onInput: (value) => answers.push(value) })
    const field = place.querySelector('input') as HTMLInputElement

    expect(field.type).toBe(type)
    expect(place.querySelector(`label[for="${field.id}"]`)?.textContent).toBe('Name: ')
    act(() => {
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(field, 'Ada')
      field.dispatchEvent(new Event('input', { bubbles: true }))
    })
    act(() => place.querySelector('form')?.requestSubmit())
    expect(answers).toEqual(['Ada'])
    expect(field.readOnly).toBe(true)
  })
})
