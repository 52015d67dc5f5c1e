// @vitest-environment jsdom
import { EditorView } from '@codemirror/view'
import { expect, test } from 'vitest'
import { textWithMarks, unseenMarked } from './unseen'

/** To a reader the comment seems to end before the check; to Python everything behind # is one. */
const TROJAN = "ok = 'user\u202e \u2066# only admin\u2069 \u2066'\nzero\u200bwidth = 1 \u202a \u2068"

test('letters that turn text around stand in elements of their own, and the text stays what it is', () => {
  const box = document.createElement('pre')
  box.append(textWithMarks(TROJAN))

  expect(box.textContent).toBe(TROJAN)
  expect([...box.querySelectorAll('.unseen')].map((one) => one.textContent)).toEqual(['\u202e', '\u2066', '\u2069', '\u2066', '\u200b', '\u202a', '\u2068'])
})

test('an editor shows each as a dot with its name', () => {
  const view = new EditorView({ doc: TROJAN, extensions: [unseenMarked] })
  const marks = [...view.dom.querySelectorAll('.cm-specialChar')]

  expect(marks).toHaveLength(7)
  expect(marks[0]?.getAttribute('aria-label')).toContain('right-to-left override')
  expect(view.contentDOM.textContent).not.toMatch(/[\u200b\u202a-\u202e\u2066-\u2069]/)
  view.destroy()
})

test('emoji, and languages written from right to left, have no marks', () => {
  const box = document.createElement('pre')
  box.append(textWithMarks('👩‍🚀 שלום نمی‌خواهم é'))

  expect(box.querySelector('.unseen')).toBeNull()
})
