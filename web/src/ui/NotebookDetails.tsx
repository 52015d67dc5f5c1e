/** What there is to know of a notebook: where it lies, whose it is, how long and how large. */
import { type ReactNode, useEffect, useState } from 'react'
import { at } from '../i18n/formats'
import { t, tn } from '../i18n'
import { drive, type NotebookInfo } from '../api/drive'
import { sharing } from '../api/sharing'
import { sizeText } from '../model/size'
import { Spinner } from './kit'
import { roleName } from './sharing/words'

export function Details({ rows }: { rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="details">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function withWhom(people: number, groups: number): string {
  if (people + groups < 1) return t('Private')
  const words = tn('With {count} person', 'With {count} people', people)
  return groups > 0 ? `${words}, ${tn('{count} group', '{count} groups', groups)}` : words
}

export default function NotebookDetails({ notebook }: { notebook: string }) {
  const [info, setInfo] = useState<NotebookInfo>()
  const [shared, setShared] = useState<string>()
  const [error, setError] = useState<string>()
  useEffect(() => {
    drive.info(notebook).then(setInfo, (cause: unknown) => setError(cause instanceof Error ? cause.message : String(cause)))
    sharing.of(notebook).then(
      ({ people, groups }) => setShared(withWhom(people.length - 1, groups.length)),
      // Only those who may write are told with whom it is shared.
      () => setShared(undefined),
    )
  }, [notebook])
  if (error !== undefined) return <p role="alert">{error}</p>
  if (info === undefined) return <Spinner label={t('Loading')} />
  return (
    <Details
      rows={[
        [t('Name'), info.name],
        [t('Place'), info.playground_of !== null ? t('A playground') : info.path.length > 0 ? info.path.join(' › ') : info.role === 'owner' ? t('My drive') : t('Shared with me')],
        [t('Owner'), info.owner],
        [t('Your role'), roleName(info.role)],
        ...(shared === undefined ? [] : ([[t('Shared'), shared]] as const)),
        [t('Created'), at('moment', info.created_at)],
        [t('Modified'), info.modified_by === null ? at('moment', info.modified_at) : t('{when} by {name}', { when: at('moment', info.modified_at), name: info.modified_by })],
        [t('Size'), sizeText(info.size)],
        [t('Cells'), `${tn('{count} code cell', '{count} code cells', info.code_cells)}, ${tn('{count} text cell', '{count} text cells', info.text_cells)}`],
        [t('Length'), `${tn('{count} line of code', '{count} lines of code', info.code_lines)}, ${tn('{count} word of text', '{count} words of text', info.words)}`],
        [t('Outputs'), info.omits_outputs ? t('Omitted when it is saved, copied or downloaded') : t('Saved with it')],
        [t('Runtime version'), info.runtime_version ?? t('the usual one')],
        [t('Id'), <code key="id">{info.id}</code>],
      ]}
    />
  )
}
