/** Which language the page speaks, and its words, before anything is drawn. */
import { settings } from '../settings/store'
import { type Catalogue, speak } from './index'
import { knowProblems } from './problems'
import { knowReasons } from './reasons'

const CATALOGUES: Readonly<Record<string, () => Promise<{ readonly default: Catalogue }>>> = { de: () => import('./de') }

/** What the person chose, or the first of the browser's languages that is here. */
export function language(chosen: string = settings.getState().site.language, wished: readonly string[] = navigator.languages): string {
  if (chosen !== 'system') return chosen
  const known = wished.map((tag) => tag.split('-')[0]!.toLowerCase()).find((tag) => tag === 'en' || tag in CATALOGUES)
  return known ?? 'en'
}

/** Null when there is nothing to wait for; otherwise until the words are here, or it is known that they cannot come. */
export function words(): Promise<void> | null {
  const spoken = language()
  const load = CATALOGUES[spoken]
  if (!load) return null
  // Without its words the page is in English, which is better than no page.
  return Promise.all([load(), import('./problemWords'), import('./reasonWords')]).then(([{ default: catalogue }, { PROBLEMS }, { reasonIn }]) => {
    speak(spoken, catalogue)
    knowProblems(PROBLEMS)
    knowReasons(reasonIn)
  }, () => undefined)
}
