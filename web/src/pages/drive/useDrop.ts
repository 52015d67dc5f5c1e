/** Files dragged from the desktop onto any part of the page. */
import { useEffect, useRef, useState } from 'react'
import { t } from '../../i18n'
import { notify } from '../../ui/kit'

/** Whether files hover over the page now; `onFiles` null: nothing may be dropped here. */
export function useDrop(onFiles: ((files: readonly File[]) => void) | null): boolean {
  const [over, setOver] = useState(false)
  const take = useRef(onFiles)
  take.current = onFiles
  useEffect(() => {
    let depth = 0
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true
    const handlers = {
      dragenter: (event: DragEvent) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        depth += 1
        setOver(take.current !== null)
      },
      dragover: (event: DragEvent) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        if (event.dataTransfer) event.dataTransfer.dropEffect = take.current === null ? 'none' : 'copy'
      },
      dragleave: (event: DragEvent) => {
        if (!hasFiles(event)) return
        depth -= 1
        if (depth <= 0) setOver(false)
      },
      drop: (event: DragEvent) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        depth = 0
        setOver(false)
        const files = filesOf(event.dataTransfer)
        if (files.length > 0) take.current?.(files)
      },
    }
    for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler as EventListener)
    return () => {
      for (const [name, handler] of Object.entries(handlers)) removeEventListener(name, handler as EventListener)
    }
  }, [])
  return over
}

function filesOf(transfer: DataTransfer | null): readonly File[] {
  const items = [...(transfer?.items ?? [])].filter(({ kind }) => kind === 'file')
  if (items.some((item) => item.webkitGetAsEntry()?.isDirectory)) notify({ title: t('Folders are not taken'), detail: t('Make the folder here, open it, and drop the files inside.'), kind: 'bad' })
  return items.filter((item) => !item.webkitGetAsEntry()?.isDirectory).flatMap((item) => item.getAsFile() ?? [])
}
