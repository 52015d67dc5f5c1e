/** A version of the notebook that somebody changed elsewhere, brought back and merged. */
import { t } from '../../i18n'
import { mergedText, mergeFile } from '../../api/upload'
import { notify, notifyError } from '../kit'
import type { Desk } from '../notebook/desk'

export function mergeVersion(desk: Desk): void {
  const picker = document.createElement('input')
  picker.type = 'file'
  picker.accept = '.ipynb,application/x-ipynb+json'
  picker.addEventListener('change', () => {
    const [file] = picker.files ?? []
    if (file) void bring(desk, file)
  })
  picker.click()
}

async function bring(desk: Desk, file: File): Promise<void> {
  try {
    const { overlaps } = await mergeFile(file, desk.id, () => undefined).done
    notify({ title: mergedText(overlaps), detail: file.name })
  } catch (error) {
    notifyError(t('{name} could not be merged', { name: file.name }), error)
  }
}
