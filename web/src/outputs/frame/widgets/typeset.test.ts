import { describe, expect, test } from 'vitest'
import { partsOf } from './typeset'

const inline = (tex: string) => ({ tex, display: false })
const display = (tex: string) => ({ tex, display: true })

describe('formulas in the words of widgets', () => {
  test.each([
    ['plain', ['plain']],
    ['$\\alpha$', [inline('\\alpha')]],
    ['rate $\\lambda_1$ in \\(s^{-1}\\)', ['rate ', inline('\\lambda_1'), ' in ', inline('s^{-1}')]],
    ['$$x^2$$ and \\[y\\]', [display('x^2'), ' and ', display('y')]],
    ['$5 or $6', ['$5 or $6']],
    ['costs $5, so $n$ of them', ['costs $5, so ', inline('n'), ' of them']],
    ['', []],
  ])('%s', (text, parts) => {
    expect(partsOf(text)).toEqual(parts)
  })
})
