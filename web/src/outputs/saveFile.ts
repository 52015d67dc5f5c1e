/** Long enough for a browser that asks where to. */
const KEPT_MS = 10_000

/** Saves it as a file on the person's own computer. */
export function saveFile(name: string, blob: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS)
}

export const saveText = (name: string, text: string): void => saveFile(name, new Blob([text], { type: 'application/octet-stream' }))
