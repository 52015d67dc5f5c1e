// @vitest-environment jsdom
import { describe, expect, test } from 'vitest'
import { dice } from '../testing/seeded'
import { BLOCK_CHARACTERS, StreamView } from './stream'

const lines = (from: number, count: number) => Array.from({ length: count }, (_, index) => `line ${from + index} of a long log\n`).join('')

function shown() {
  const root = document.createElement('div')
  const view = new StreamView(root)
  const text = () => {
    const copy = root.cloneNode(true) as HTMLElement
    copy.querySelector('.stream-gap')?.remove()
    return copy.textContent
  }
  return { root, view, text }
}

describe('a growing text', () => {
  test('shows what it was given, piece by piece', () => {
    const { view, text } = shown()
    let all = ''
    for (let turn = 0; turn < 60; turn += 1) {
      all += lines(turn * 40, 40)
      view.show(all, null)

      expect(text()).toBe(all)
    }
  })

  test('an append makes no more than what was added', () => {
    const { root, view } = shown()
    const before = lines(0, 30_000)
    view.show(before, null)
    const kept = [...root.querySelectorAll('.stream-block')].slice(0, -1)
    view.show(`${before}one more\n`, null)

    expect(view.made).toBeLessThanOrEqual(1)
    expect(kept.every((one) => root.contains(one))).toBe(true)
  })

  test('in the last block, an append adds to the text that is there', () => {
    const { root, view } = shown()
    view.show('one\n', null)
    const node = root.querySelector('.stream-block')?.firstChild
    view.show('one\ntwo\n', null)

    expect(root.querySelector('.stream-block')?.firstChild).toBe(node)
    expect(node?.textContent).toBe('one\ntwo\n')
  })

  test('a line that is written over is written over', () => {
    const { view, text } = shown()
    view.show(`${lines(0, 2000)} 10%`, null)
    view.show(`${lines(0, 2000)} 20%`, null)
    expect(text()).toBe(`${lines(0, 2000)} 20%`)
    view.show('gone', null)
    expect(text()).toBe('gone')
    view.show('', null)
    expect(text()).toBe('')
  })

  test('when the shown end of an endless log moves on, blocks that are still in it stay', () => {
    const { root, view, text } = shown()
    const head = lines(0, 2000)
    let tail = lines(5000, 20_000)
    view.show(head + tail, head.length)
    for (let turn = 0; turn < 10; turn += 1) {
      const kept = root.querySelectorAll('.stream-block').length
      tail = (tail + lines(90_000 + turn * 1000, 1000)).slice(27_123)
      view.show(head + tail, head.length)

      expect(text()).toBe(head + tail)
      expect(view.made).toBeLessThan(kept / 4)
    }
  })

  test('the note about the omission appears with it, and goes with it', () => {
    const { view } = shown()
    view.show('ab', 1)
    expect(view.gap.hidden).toBe(false)
    view.show('ab', null)
    expect(view.gap.hidden).toBe(true)
  })

  test('colours go on over the border of a block', () => {
    const { root, view } = shown()
    view.show(`\x1b[32m${lines(0, 3000)}`, null)
    const blocks = root.querySelectorAll('.stream-block')

    expect(blocks.length).toBeGreaterThan(2)
    expect([...blocks].every((one) => one.querySelector('.ansi-fg-green') !== null)).toBe(true)
  })

  test('an escape that arrives in two halves is one escape', () => {
    const { root, view } = shown()
    view.show('a\x1b[3', null)
    view.show('a\x1b[31mred', null)

    expect(root.querySelector('.ansi-fg-red')?.textContent).toBe('red')
  })

  test('a character outside the first plane is never torn', () => {
    const { root, view, text } = shown()
    const faces = `x${'😀'.repeat(BLOCK_CHARACTERS)}`
    view.show(faces, null)

    expect(text()).toBe(faces)
    for (const block of root.querySelectorAll('.stream-block')) expect(block.textContent?.isWellFormed?.() ?? true).toBe(true)
  })
})

test('any order of growing, cutting and moving on ends as the text says', () => {
  const seed = Number(process.env.SEED ?? 20261121)
  const random = dice(seed)
  const { view, text } = shown()
  let all = ''
  for (let turn = 0; turn < 200; turn += 1) {
    const choice = random(10)
    if (choice < 6) all += lines(turn * 1000, random(800))
    else if (choice < 8) all = all.slice(0, all.length - random(Math.min(all.length, 3000) + 1)) + `again ${turn}\r`
    else all = all.slice(random(Math.min(all.length, 40_000) + 1))
    const omitted = choice === 3 ? random(all.length + 1) : null
    view.show(all, omitted)

    expect(text(), `seed ${seed}, turn ${turn}`).toBe(all)
  }
})
