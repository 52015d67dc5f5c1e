import { expect, test } from 'vitest'
import { asUuid } from './scratch'

test('a kernel has the same name here as in the Jupyter API', () => {
  expect(asUuid('63qmqxsa8vy5p19t22vbyb')).toBe('00000c3b-d2fd-ca91-bf16-c14e842dafcb')
})
