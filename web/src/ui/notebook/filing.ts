/** What is done with a notebook as a thing among others: made, brought, copied, found, printed. */
import './print.css'
import { navigate } from 'wouter/use-browser-location'
import { api } from '../../api/client'
import { drive } from '../../api/drive'
import { uploadFile } from '../../api/upload'
import { t } from '../../i18n'
import { notify, notifyError } from '../kit'
import type { Desk } from './desk'
import { openMade } from './made'

const opened = ({ id }: { readonly id: string }): void => navigate(`/notebooks/${id}`)
const failed = (title: string) => (error: unknown) => notifyError(title, error)

export function create(): void {
  api.createNotebook(null, null).then(openMade, failed(t('No notebook was made')))
}

export function saveCopy(desk: Desk): void {
  drive.copy(desk.id).then(
    (copy) => {
      opened(copy)
      notify({ title: t('This is your copy'), detail: copy.name, kind: 'good' })
    },
    failed(t('The notebook was not copied')),
  )
}

/** Where it lies; what others shared lies under “Shared with me”. */
export function locate(desk: Desk): void {
  api.item(desk.id).then(
    ({ parent, role }) => navigate(role !== 'owner' ? '/drive/shared' : parent === null ? '/' : `/drive/${parent}`),
    failed(t('The notebook was not found in the drive')),
  )
}

export function upload(): void {
  const picker = document.createElement('input')
  picker.type = 'file'
  picker.accept = '.ipynb,application/x-ipynb+json'
  picker.addEventListener('change', () => {
    const [file] = picker.files ?? []
    if (file) uploadFile(file, null, () => undefined).done.then(opened, failed(t('{name} was not uploaded', { name: file.name })))
  })
  picker.click()
}

const FRAME_MS = 300
const FRAMES_MAX = 24

/** Every cell, as the style sheet for paper says. Outputs with scripts are drawn when they come near, so each is visited first. */
export async function print(): Promise<void> {
  const page = document.querySelector('.notebook-scroll')
  const top = page?.scrollTop ?? 0
  const missing = [...document.querySelectorAll('.output-frame-box:not(:has(iframe))')].slice(0, FRAMES_MAX)
  if (missing.length > 0) notify({ title: t('Drawing the outputs before printing…') })
  for (const box of missing) {
    box.scrollIntoView()
    await new Promise((done) => setTimeout(done, FRAME_MS))
  }
  page?.scrollTo({ top })
  window.print()
}
