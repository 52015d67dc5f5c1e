/** Files that go to a folder: at once, or after a question where a notebook of that name is there already. */
import { type ReactNode, useState } from 'react'
import { later } from '../../ui/kit'
import { uploads } from './uploads'

const MergeDialog = later(() => import('./MergeDialog'))

interface Here {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly role: string
}

interface Question {
  readonly file: File
  readonly folder: string
  readonly into: Here
}

export function useMerging(): { readonly upload: (files: readonly File[], folder: string, here: readonly Here[]) => void; readonly question: ReactNode } {
  const [questions, setQuestions] = useState<readonly Question[]>([])
  const upload = (files: readonly File[], folder: string, here: readonly Here[]) => {
    const asked = files.flatMap((file): readonly Question[] => {
      const into = here.find(({ kind, name, role }) => kind === 'notebook' && name === file.name && (role === 'owner' || role === 'editor'))
      return into ? [{ file, folder, into }] : []
    })
    uploads.add(files.filter((file) => !asked.some((one) => one.file === file)), folder)
    if (asked.length > 0) setQuestions((waiting) => [...waiting, ...asked])
  }
  const first = questions[0]
  const answer = (run: () => void) => () => {
    run()
    setQuestions((waiting) => waiting.slice(1))
  }
  const question = first && (
    <MergeDialog
      name={first.into.name}
      onMerge={answer(() => uploads.add([first.file], first.folder, first.into.id))}
      onKeepBoth={answer(() => uploads.add([first.file], first.folder))}
      onCancel={answer(() => undefined)}
    />
  )
  return { upload, question }
}
