/** What there is to know of a notebook: where it lies, whose it is, how long and how large. */
import { type ReactNode, useEffect, useState } from 'react'
import { drive, type NotebookInfo } from '../api/drive'
import { sharing } from '../api/sharing'
import { sizeText } from '../model/size'
import { Spinner } from './kit'

export function when(at: number): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
}

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

const count = (number: number, one: string, many = `${one}s`) => `${number.toLocaleString()} ${number === 1 ? one : many}`

export default function NotebookDetails({ notebook }: { notebook: string }) {
  const [info, setInfo] = useState<NotebookInfo>()
  const [shared, setShared] = useState<string>()
  const [error, setError] = useState<string>()
  useEffect(() => {
    drive.info(notebook).then(setInfo, (cause: unknown) => setError(cause instanceof Error ? cause.message : String(cause)))
    sharing.of(notebook).then(
      ({ people, groups }) => setShared(people.length + groups.length > 1 ? `With ${count(people.length - 1, 'person', 'people')}${groups.length > 0 ? ` and ${count(groups.length, 'group')}` : ''}` : 'Private'),
      // Only those who may write are told with whom it is shared.
      () => setShared(undefined),
    )
  }, [notebook])
  if (error !== undefined) return <p role="alert">{error}</p>
  if (info === undefined) return <Spinner label="Loading" />
  return (
    <Details
      rows={[
        ['Name', info.name],
        ['Place', info.playground_of !== null ? 'A playground' : info.path.length > 0 ? info.path.join(' › ') : info.role === 'owner' ? 'My drive' : 'Shared with me'],
        ['Owner', info.owner],
        ['Your role', info.role],
        ...(shared === undefined ? [] : ([['Shared', shared]] as const)),
        ['Created', when(info.created_at)],
        ['Modified', `${when(info.modified_at)}${info.modified_by === null ? '' : ` by ${info.modified_by}`}`],
        ['Size', sizeText(info.size)],
        ['Cells', `${count(info.code_cells, 'code cell')}, ${count(info.text_cells, 'text cell')}`],
        ['Length', `${count(info.code_lines, 'line')} of code, ${count(info.words, 'word')} of text`],
        ['Runtime version', info.runtime_version ?? 'the usual one'],
        ['Id', <code key="id">{info.id}</code>],
      ]}
    />
  )
}
