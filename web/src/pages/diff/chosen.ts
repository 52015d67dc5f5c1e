/** A notebook that was chosen to be compared. */
import { t } from '../../i18n'
import { request } from '../../api/client'
import type { Grammar } from '../../editor/editor'

export interface Chosen {
  readonly name: string
  readonly document: unknown
}

/** Rejects with words for the person. */
export async function chosenFile(file: File): Promise<Chosen> {
  return { name: file.name, document: parsed(await file.text()) }
}

/** A notebook of the drive, by its address or its id. */
export async function chosenHere(words: string): Promise<Chosen> {
  const id = /(?:^|\/notebooks\/)([0-9a-z]{22})(?:[/?#]|$)/.exec(words.trim())?.[1]
  if (id === undefined) throw new Error(t('This is no link to a notebook of this server.'))
  const answer = await request('GET', `/notebooks/${id}/content`, { query: { format: 'ipynb' } })
  const name = /filename\*=UTF-8''([^;]+)/i.exec(answer.headers.get('content-disposition') ?? '')?.[1]
  return { name: name === undefined ? id : decodeURIComponent(name), document: parsed(await answer.text()) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(t('The file is no notebook: it is not JSON.'))
  }
}

export function grammarOf(document: unknown): Grammar {
  const metadata = (document as { metadata?: { language_info?: { name?: unknown }; kernelspec?: { language?: unknown } } } | undefined)?.metadata
  const language = metadata?.language_info?.name ?? metadata?.kernelspec?.language ?? 'python'
  return language === 'python' ? 'python' : 'code'
}
