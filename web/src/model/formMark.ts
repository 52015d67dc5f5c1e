/** Whether a code cell shows a form, and how: as much as a page of a thousand cells can ask of each. */

export type FormMode = 'form' | 'both' | 'code'

const MARK = /#[^\S\n]*@(?:param|title|markdown)\b/
const TITLE_MODE = /^[^\S\n]*#[^\S\n]*@title\b.*\{[^}\n]*["']?display-mode["']?\s*:\s*["'](form|both|code)["']/m

export const hasForm = (source: string): boolean => source.includes('@') && MARK.test(source)

/** Colab's rule: what the title says goes before the cell's `cellView`. Null: no form. */
export function formMode(source: string, cellView: unknown): FormMode | null {
  if (!hasForm(source)) return null
  const said = TITLE_MODE.exec(source)?.[1] as FormMode | undefined
  if (said !== undefined) return said
  return cellView === 'form' || cellView === 'code' ? cellView : 'both'
}
