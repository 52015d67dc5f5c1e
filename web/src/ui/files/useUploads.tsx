/** Bringing files from the person's computer into a folder: asks where names collide, makes folders, starts the transfers. */
import { type ReactNode, useState } from 'react'
import { number } from '../../i18n/formats'
import { t, tn } from '../../i18n'
import { ApiError } from '../../api/client'
import { inside, type RuntimeId } from '../../api/inside'
import { Button, Dialog, notify, notifyError } from '../kit'
import { DROPPED_MAX, type Dropped, plan, tops } from './dropped'
import { freeName, nameOf, shown } from './paths'
import type { Transfers } from './transfer'

type Choice = 'replace' | 'both' | 'skip'
interface Clash {
  readonly name: string
  readonly folder: string
  readonly kind: 'file' | 'directory'
  /** One is a file and the other a folder: neither can take the other's place. */
  readonly unlike: boolean
  readonly others: number
  readonly answer: (choice: Choice, all: boolean) => void
}

export interface Uploads {
  readonly upload: (dropped: readonly Dropped[], folder: string) => Promise<void>
  readonly dialog: ReactNode
}

export function useUploads(runtime: RuntimeId, transfers: Transfers, made: () => void): Uploads {
  const [clash, setClash] = useState<Clash | null>(null)

  const ask = (about: Omit<Clash, 'answer'>) =>
    new Promise<{ readonly choice: Choice; readonly all: boolean }>((resolve) =>
      setClash({
        ...about,
        answer: (choice, all) => {
          setClash(null)
          resolve({ choice, all })
        },
      }),
    )

  const named = async (dropped: readonly Dropped[], folder: string) => {
    const there = new Map((await inside.list(runtime, folder)).entries.map(({ name, kind }) => [name, kind]))
    const taken = new Set(there.keys())
    const as = new Map<string, string | null>()
    const comes = tops(dropped)
    const clashing = [...comes.keys()].filter((name) => there.has(name))
    let standing: Choice | null = null
    for (const [name, kind] of comes) {
      if (!there.has(name)) {
        as.set(name, name)
        continue
      }
      const unlike = (there.get(name) === 'directory') !== (kind === 'directory')
      let choice: Choice | null = standing === 'replace' && unlike ? null : standing
      if (choice === null) {
        const answer = await ask({ name, folder, kind, unlike, others: clashing.length - clashing.indexOf(name) - 1 })
        choice = answer.choice
        if (answer.all) standing = choice
      }
      const own: string | null = choice === 'replace' ? name : choice === 'both' ? freeName(name, taken) : null
      if (own !== null) taken.add(own)
      as.set(name, own)
    }
    return as
  }

  const upload = async (dropped: readonly Dropped[], folder: string) => {
    if (dropped.length === 0) return
    if (dropped.length >= DROPPED_MAX) notify({ title: t('That is a lot of files'), detail: t('The first {count} are uploaded. An archive is faster.', { count: number(DROPPED_MAX) }) })
    try {
      const { folders, sendings } = plan(dropped, folder, await named(dropped, folder))
      for (const path of folders) await makeFolder(runtime, path)
      if (folders.length > 0) made()
      transfers.add(sendings)
    } catch (error) {
      notifyError(t('The files could not be uploaded'), error)
    }
  }

  const dialog = (
    <Dialog
      open={clash !== null}
      onClose={() => clash?.answer('skip', true)}
      title={clash ? t('“{shown}” is there already', { shown: shown(clash.name) }) : ''}
      description={clash && words(clash)}
    >
      {clash && <Answers clash={clash} key={clash.name} />}
    </Dialog>
  )
  return { upload, dialog }
}

function words({ folder, kind, unlike, others }: Clash): string {
  const name = shown(nameOf(folder))
  const directory = kind === 'directory'
  const where = unlike
    ? t('In {name} there is something else of this name.', { name })
    : directory
      ? `${t('In {name} there is a folder of this name.', { name })} ${t('Replacing puts the new files into it, over those of the same name.')}`
      : t('In {name} there is a file of this name.', { name })
  return others === 0 ? where : `${where} ${tn('{count} more name is taken.', '{count} more names are taken.', others)}`
}

function Answers({ clash }: { clash: Clash }) {
  const [all, setAll] = useState(false)
  return (
    <>
      {clash.others > 0 && (
        <label className="files-all">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} />{' '}{t('Do the same for the others')}
        </label>
      )}
      <div className="dialog-actions">
        <Button weight="ghost" onClick={() => clash.answer('skip', all)}>
          {t('Skip')}
        </Button>
        <Button weight="outline" onClick={() => clash.answer('both', all)}>
          {t('Keep both')}
        </Button>
        {!clash.unlike && (
          <Button weight="primary" onClick={() => clash.answer('replace', all)}>
            {t('Replace')}
          </Button>
        )}
      </div>
    </>
  )
}

async function makeFolder(runtime: RuntimeId, path: string): Promise<void> {
  try {
    await inside.make(runtime, path, 'directory')
  } catch (error) {
    // It is there already, which is all we want.
    if (!(error instanceof ApiError && error.status === 409)) throw error
  }
}
