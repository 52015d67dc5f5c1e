// @vitest-environment jsdom
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Execution, Output } from '../model/wire'
import { CellOutputs, type CellOutputsProps } from './CellOutputs'

const EXECUTION: Execution = { execution: 'e1', cell: 'c1', state: 'finished', user: null, count: 1, queued_at: 1, started_at: 1, finished_at: 2 }
const scripted: Output = { output_type: 'display_data', data: { 'text/html': '<script>1</script>' }, metadata: {} }
const printed = (text: string): Output => ({ output_type: 'stream', name: 'stdout', text })

let root: Root
let place: HTMLElement

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} }))
  vi.stubGlobal('IntersectionObserver', class { constructor(private readonly seen: (entries: unknown[]) => void) {} observe() { this.seen([{ isIntersecting: true }]) } disconnect() {} })
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

  test('that came with the file run no script before somebody asks', () => {
    show({ outputs: [scripted], live: false })
    expect(place.querySelector('iframe')).toBeNull()
    act(() => [...place.querySelectorAll('button')].find((one) => one.textContent === 'Show output')?.click())

    expect(place.querySelectorAll('iframe')).toHaveLength(1)
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
