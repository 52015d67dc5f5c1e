/** Contrast and motion as the person chose them: on the page's root, where the tokens are. */
import { settings } from './store'

export function applyAccessibility(): void {
  const apply = ({ accessibility: { contrast, motion } } = settings.getState()): void => {
    const { dataset } = document.documentElement
    if (contrast === 'more') dataset.contrast = contrast
    else delete dataset.contrast
    if (motion === 'less') dataset.motion = motion
    else delete dataset.motion
  }
  apply()
  settings.subscribe(apply)
}

/** Whether nothing is to move that need not: as the person chose, or as the system says. */
export const lessMotion = (): boolean => settings.getState().accessibility.motion === 'less' || matchMedia('(prefers-reduced-motion: reduce)').matches
