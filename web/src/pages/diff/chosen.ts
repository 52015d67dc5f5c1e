/** A notebook that was chosen to be compared. */
import { t } from '../../i18n'
import { drive } from '../../api/drive'

export interface Chosen {
  readonly name: string
  /** As the server takes it: a notebook's file, one of the drive, or an address. */
  readonly side: unknown
}

/** Rejects with words for the person. */
export async function chosenFile(file: File): Promise<Chosen> {
  return { name: file.name, side: parsed(await file.text()) }
}

/** A notebook of the drive. */
export const chosenHere = (id: string, name: string): Chosen => ({ name, side: { notebook: id } })

/** What an address means: a notebook of this server, by its link or its id, or one elsewhere. Rejects with words. */
export async function chosenBy(words: string): Promise<Chosen> {
  const typed = words.trim()
  const elsewhere = URL.canParse(typed) ? new URL(typed) : null
  if (elsewhere !== null && elsewhere.origin !== location.origin) {
    if (!/^https?:$/.test(elsewhere.protocol)) throw new Error(t('An address begins with https://.'))
    return { name: lastOf(elsewhere), side: { url: typed } }
  }
  const id = /(?:^|\/notebooks\/)([0-9a-z]{22})(?:[/?#]|$)/.exec(typed)?.[1]
  if (id === undefined) throw new Error(t('This is no link to a notebook of this server.'))
  return chosenHere(id, (await drive.info(id)).name)
}

function lastOf({ pathname, host }: URL): string {
  const last = pathname.split('/').filter(Boolean).at(-1) ?? host
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(t('The file is no notebook: it is not JSON.'))
  }
}
