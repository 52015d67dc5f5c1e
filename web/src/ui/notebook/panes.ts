/** The focus goes from one part of the page to the next: the cells, each panel, what stands beside the cells, the notices. */
import { goBackTo } from '../kit/wayBack'

const PANES = '.nb-main, aside.panel, .beside, .filetab, .gridtab, .dock, .toasts:not(:empty)'
/** Where the arrows of a pane begin, or its field; else whatever Tab would come to first. */
const FIRST = ['[role="tab"][aria-selected="true"]', '[role="treeitem"][tabindex="0"]', 'input:not([hidden])', 'button, a[href], [tabindex="0"]'] as const

/** From where the focus is; from nowhere, the first is the cells. */
export function focusPane(by: -1 | 1): void {
  const panes = [...document.querySelectorAll<HTMLElement>(PANES)].filter((pane) => pane.checkVisibility())
  const at = panes.findIndex((pane) => pane.contains(document.activeElement))
  const to = panes.at(at === -1 ? panes.findIndex(isMain) : (at + by) % panes.length)
  if (to === undefined) return
  if (isMain(to)) return goBackTo(null)
  // It may be focused as a whole by those who showed it.
  if (to.hasAttribute('tabindex')) return to.focus()
  const [first] = FIRST.flatMap((what) => [...to.querySelectorAll<HTMLElement>(what)].filter((one) => one.checkVisibility()))
  first?.focus()
}

const isMain = (pane: HTMLElement): boolean => pane.matches('.nb-main')
