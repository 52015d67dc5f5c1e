/** What the runtime uses, at the right of the cells; processors are shown as a part of all that it may use. */
import './resources.css'
import { Gauge, X } from 'lucide-react'
import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react'
import { useStore } from 'zustand'
import { msg, t } from '../../i18n'
import { runtimes } from '../../api/runtimes'
import { kernelLabel } from '../../model/runtimes'
import { continued, countdown, ofText, sizeText, spanText, type UsagePoint } from '../../model/usage'
import type { NetworkMode, Runtime, Usage, Variable } from '../../model/wire'
import { isHere } from '../../session/session'
import { useArrival } from '../arrival'
import { Button, EmptyState, IconButton } from '../kit'
import { useChrome, useDesk, useMay, useSession } from '../notebook/hooks'
import { Bar } from './Bar'
import { Graph } from './Graph'
import { useAsked } from './useAsked'

export default function ResourcesPanel() {
  const shown = useChrome((chrome) => chrome.resources)
  return shown ? <Resources /> : null
}

function Resources() {
  const desk = useDesk()
  const runtime = useSession((session) => session.runtime)
  const connecting = useSession((session) => session.connecting)
  const mayRun = useMay('run')
  const close = () => desk.showResources(false)
  const panel = useArrival(true, close)
  return (
    <aside ref={panel} tabIndex={-1} className="panel panel-right resources" aria-label={t('Resources')}>
      <div className="panel-head">
        <h2>{t('Resources')}</h2>
        <IconButton label={t('Close resources')} icon={<X size={16} aria-hidden />} onClick={close} />
      </div>
      {isHere(runtime) ? <OfRuntime key={runtime.id} runtime={runtime} /> : (
        <EmptyState
          icon={<Gauge size={36} aria-hidden />}
          title={t('Not connected')}
          actions={mayRun && <Button weight="soft" busy={connecting} onClick={() => desk.session.connect()}>{t('Connect')}</Button>}
        >
          {t('What your runtime uses appears here.')}
        </EmptyState>
      )}
      <div className="resources-actions">
        {mayRun && <Button small onClick={() => desk.open('runtime-type')}>{t('Change runtime type')}</Button>}
        <Button small onClick={() => desk.open('sessions')}>{t('Manage sessions')}</Button>
        {mayRun && isHere(runtime) && <Button small onClick={() => desk.open('disconnect')}>{t('Disconnect')}</Button>}
      </div>
    </aside>
  )
}

function OfRuntime({ runtime }: { runtime: Runtime }) {
  const desk = useDesk()
  const now = useStore(desk.session.usage, (usage) => usage.now)
  const seen = useStore(desk.session.usage, (usage) => usage.seen)
  const memory = useSession((session) => session.memory)
  const ready = runtime.state === 'ready'
  const kept = useAsked(useMemo(() => (ready ? async () => (await runtimes.usage(runtime.id)).points : null), [ready, runtime.id])).value
  const cpus = now?.cpus ?? 1
  const points = useMemo(() => continued(kept ?? [], seen).map(([at, memory, cpu, disk, gpu]): UsagePoint => [at, memory, cpu === null ? null : cpu / cpus, disk, gpu]), [kept, seen, cpus])
  return (
    <>
      {now === null ? <p className="panel-note">{ready ? t('Measuring…') : t('The runtime is starting.')}</p> : <Uses now={now} points={points} />}
      {memory !== null && memory.variables.length > 0 && <Largest variables={memory.variables} limit={memory.limit} />}
      <About runtime={runtime} />
    </>
  )
}

function Uses({ now, points }: { now: Usage; points: readonly UsagePoint[] }) {
  const times = useMemo(() => points.map(([at]) => at), [points])
  const column = (index: 1 | 2 | 3 | 4) => points.map((point) => point[index])
  const gpu = now.gpus[0]
  const { memory_bytes, memory_limit_bytes, cpu_percent, cpus, disk_bytes, disk_limit_bytes } = now
  return (
    <div className="uses">
      {memory_bytes !== null && <Use label={t('RAM')} part={memory_bytes} whole={memory_limit_bytes} text={bytesOf(memory_bytes, memory_limit_bytes)} times={times} values={column(1)} say={sizeText} />}
      {/* The first reading knows nothing of it yet, and nothing should move when the second one comes. */}
      <Use label={t('CPU')} part={(cpu_percent ?? 0) / (cpus ?? 1)} whole={100} text={cpu_percent === null ? '–' : cpuText(cpu_percent, cpus)} times={times} values={column(2)} say={percent} />
      {disk_bytes !== null && <Use label={t('Disk')} part={disk_bytes} whole={disk_limit_bytes} text={bytesOf(disk_bytes, disk_limit_bytes)} times={times} values={column(3)} say={sizeText} />}
      {gpu && <Use label={t('GPU')} part={gpu.percent ?? 0} whole={100} text={gpu.percent === null ? gpu.name : `${percent(gpu.percent)} · ${gpu.name}`} times={times} values={column(4)} say={percent} />}
      {now.gpus.map(({ name, memory_bytes: used, memory_limit_bytes: limit }, at) => (
        <Bar key={at} label={now.gpus.length > 1 ? t('GPU {value} memory', { value: at + 1 }) : t('GPU memory')} part={used} whole={limit} text={`${ofText(used, limit)}${at > 0 ? ` · ${name}` : ''}`} />
      ))}
      <Numbers points={points} gpu={gpu !== undefined} />
    </div>
  )
}

interface UseProps {
  readonly label: string
  readonly part: number
  readonly whole: number | null
  readonly text: string
  readonly times: readonly number[]
  readonly values: readonly (number | null)[]
  readonly say: (value: number) => string
}

function Use({ label, part, whole, text, times, values, say }: UseProps) {
  const highest = Math.max(part, ...values.map((value) => value ?? 0))
  return (
    <div>
      <Bar label={label} part={part} whole={whole ?? highest} text={text} />
      <Graph label={label} times={times} values={values} max={Math.max(whole ?? 0, highest)} text={say} />
    </div>
  )
}

const ROWS = [['RAM', 1, sizeText], ['CPU', 2, percent], ['Disk', 3, sizeText], ['GPU', 4, percent]] as const

/** The graphs again, for whoever does not see them. */
function Numbers({ points, gpu }: { points: readonly UsagePoint[]; gpu: boolean }) {
  return (
    <details className="resources-numbers">
      <summary>{t('As a table')}</summary>
      <table>
        <caption className="visually-hidden">{t('Use in the last hour')}</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">{t('Now')}</th>
            <th scope="col">{t('Average')}</th>
            <th scope="col">{t('Most')}</th>
          </tr>
        </thead>
        <tbody>
          {ROWS.slice(0, gpu ? 4 : 3).map(([name, column, say]) => {
            const known = points.flatMap((point) => point[column] ?? [])
            const cells = known.length === 0 ? ['–', '–', '–'] : [known.at(-1)!, known.reduce((sum, value) => sum + value, 0) / known.length, Math.max(...known)].map(say)
            return (
              <tr key={name}>
                <th scope="row">{name}</th>
                {cells.map((cell, at) => (
                  <td key={at}>{cell}</td>
                ))}
              </tr>
            )
          })}
        </tbody>
      </table>
    </details>
  )
}

function Largest({ variables, limit }: { variables: readonly Variable[]; limit: number }) {
  return (
    <section className="resources-largest">
      <h3>{t('Largest variables')}</h3>
      <ul>
        {variables.map(({ name, type, bytes }) => (
          <li key={name}>
            <Bar label={`${name} (${type})`} part={bytes} whole={limit} text={sizeText(bytes)} />
          </li>
        ))}
      </ul>
    </section>
  )
}

const NETWORK: Readonly<Record<NetworkMode, string>> = { none: msg('None'), packages: msg('Package indexes only'), internet: msg('Internet') }

function About({ runtime }: { runtime: Runtime }) {
  const desk = useDesk()
  const own = useAsked(useCallback(() => runtimes.get(runtime.id), [runtime.id])).value
  const type = useAsked(runtimes.types).value?.find(({ name }) => name === runtime.type)
  const language = useSession((session) => session.kernel?.name)
  const now = useNow(1000)
  const at = now + (desk.session.now() - Date.now())
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['Type', runtime.label ?? runtime.type],
    ...(runtime.accelerator ? [['Accelerator', `${runtime.accelerator.count > 1 ? `${runtime.accelerator.count} × ` : ''}${runtime.accelerator.name}`] as const] : []),
    ['Version', runtime.version],
    ...(language ? [['Kernel', kernelLabel(language)] as const] : []),
    ...(runtime.network ? [['Network', t(NETWORK[runtime.network])] as const] : []),
    ...(own?.ready_at ? [[t('Running for'), spanText(at - own.ready_at)] as const] : []),
    ...(runtime.notice ? [[t('Given back in'), countdown(runtime.notice.at - at)] as const] : type ? [[t('Given back'), t('after {spanText} without use', { spanText: spanText(type.idle_seconds * 1000) })] as const] : []),
    ...(own?.expires_at ? [[t('Ends at the latest'), `in ${spanText(own.expires_at - at)}`] as const] : []),
  ]
  return (
    <dl className="resources-about">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

function percent(value: number): string {
  return `${Math.round(value)} %`
}

function cpuText(value: number, cpus: number | null): string {
  return cpus === null ? percent(value) : `${percent(value / cpus)} of ${cpus} ${cpus === 1 ? 'processor' : 'processors'}`
}

const bytesOf = (part: number, whole: number | null) => (whole === null ? sizeText(part) : ofText(part, whole))
