/** Addresses of cells. */
import { t } from '../../i18n'
import type { CellId } from '../../model/wire'
import { notify } from '../kit'

export async function copyLink(id: CellId): Promise<void> {
  const link = `${location.origin}${location.pathname}#scrollTo=${id}`
  try {
    await navigator.clipboard.writeText(link)
    notify({ title: t('Link to the cell copied'), kind: 'good' })
  } catch {
    // Without https a page may not write the clipboard; the address bar then holds the link.
    history.replaceState(null, '', link)
    notify({ title: t('The link to the cell is in the address bar now'), detail: t('Copy it from there: this browser gives the clipboard only to https pages.') })
  }
}
