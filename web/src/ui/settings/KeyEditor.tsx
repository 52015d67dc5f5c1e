/** Every command with its keys: other ones, more of them, none; and who else has them. */
import './keys.css'
import { Plus, RotateCcw, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { t } from '../../i18n'
import { shown, STROKES_MAX, written } from '../../model/shortcut'
import type { Settings } from '../../settings/model'
import { set, useSetting } from '../../settings/store'
import { keysOf, mac, rivals, whereOf } from '../commands/keys'
import { type Command, MENUS } from '../commands/model'
import { score } from '../commands/ranking'
import { COMMANDS } from '../commands/table'
import { Button, ConfirmDialog, IconButton, Select } from '../kit'

const SECOND_WITHIN_MS = 1200
const KEYS_MAX = 8

type Keys = Settings['keys']
type Bindings = Keys['bindings']

const PRESETS = [
  { value: 'default', label: 'Colab' },
  { value: 'jupyterlab', label: 'JupyterLab' },
  { value: 'vim', label: 'vim' },
] as const satisfies readonly { value: Keys['preset']; label: string }[]

export default function KeyEditor({ focused = false }: { focused?: boolean }) {
  const keys = useSetting((all) => all.keys)
  const [query, setQuery] = useState('')
  const [resetting, setResetting] = useState(false)
  const own = Object.keys(keys.bindings).length
  const bind = (bindings: Bindings) => set({ keys: { bindings } })
  const found = COMMANDS.filter((command) => score(query, `${pathOf(command)} ${t(command.name)} ${keysOf(command, keys).map((text) => shown(text, mac)).join(' ')}`) !== null)
  const groups = [...Map.groupBy(found, ({ menu }) => menu)].sort(([a], [b]) => place(a) - place(b))
  return (
    <div className="keys">
      <div className="keys-bar">
        <input type="search" autoFocus={focused} className="field-control" aria-label={t('Find a command or its keys')} placeholder={t('Find a command or its keys')} autoComplete="off" spellCheck={false} value={query} onChange={(event) => setQuery(event.target.value)} />
        <Select label={t('Keys as in')} value={keys.preset} options={PRESETS} onChange={(preset) => set({ keys: { preset } })} />
        <Button weight="ghost" icon={<RotateCcw size={16} aria-hidden />} disabled={own === 0} onClick={() => setResetting(true)}>
          {t('Reset all')}
        </Button>
      </div>
      {query === '' && (
        <p className="keys-tab">
          {t('Tab goes from a cell to what is in it, and then past all cells; arrow keys go from cell to cell. In a text Tab indents: Escape leaves it, and then Tab goes on. Escape also leaves an output, and closes a panel.')}
        </p>
      )}
      {groups.map(([menu, commands]) => (
        <section key={menu ?? ''} aria-label={menu === undefined ? t('By keys alone') : t(menu)}>
          <h3>{menu === undefined ? t('By keys alone') : t(menu)}</h3>
          <ul>
            {commands.map((command) => (
              <Row key={command.id} command={command} keys={keys} bind={bind} />
            ))}
          </ul>
        </section>
      ))}
      {found.length === 0 && <p role="status">{t('No command has that name.')}</p>}
      <ConfirmDialog
        open={resetting}
        onClose={() => setResetting(false)}
        onConfirm={() => bind({})}
        title={t('Give up all your own keys?')}
        description={t('Every command gets the keys of the preset again.')}
        confirm={t('Reset all')}
      />
    </div>
  )
}

const place = (menu: Command['menu']): number => (menu === undefined ? MENUS.length : MENUS.indexOf(menu))
const pathOf = ({ menu, under }: Command): string => [menu, under].filter((step) => step !== undefined).map((step) => t(step)).join(' › ')

function Row({ command, keys, bind }: { command: Command; keys: Keys; bind: (bindings: Bindings) => void }) {
  const [recording, setRecording] = useState(false)
  const mine = keysOf(command, keys)
  const changed = Object.hasOwn(keys.bindings, command.id)
  const name = t(command.name)
  const put = (next: readonly string[]) => bind({ ...keys.bindings, [command.id]: next })
  const reset = () => bind(Object.fromEntries(Object.entries(keys.bindings).filter(([id]) => id !== command.id)))
  const clashes = mine.map((text) => ({ text, others: rivals(COMMANDS, keys, command, text) })).filter(({ others }) => others.length > 0)
  return (
    <li data-command={command.id}>
      <span className="keys-name">
        {name}
        {command.under !== undefined && <span className="keys-note">{t(command.under)}</span>}
      </span>
      <span className="keys-chips">
        {mine.map((text) => (
          <span key={text} className="keys-chip">
            <kbd>{shown(text, mac)}</kbd>
            <button type="button" aria-label={t('Take {keys} from {name}', { keys: shown(text, mac), name })} onClick={() => put(mine.filter((other) => other !== text))}>
              <X size={12} aria-hidden />
            </button>
          </span>
        ))}
        {recording ? (
          <Recorder
            name={name}
            onDone={(text) => {
              setRecording(false)
              if (text !== null && !mine.includes(text)) put([...mine, text])
            }}
          />
        ) : (
          mine.length < KEYS_MAX && <IconButton label={t('Give {name} keys', { name })} icon={<Plus size={15} aria-hidden />} onClick={() => setRecording(true)} />
        )}
        {changed && <IconButton label={t('Reset the keys of {name}', { name })} icon={<RotateCcw size={15} aria-hidden />} onClick={reset} />}
      </span>
      {mine.some((text) => whereOf(command, text) === 'cells') && <span className="keys-note keys-where">{t('outside of text')}</span>}
      {clashes.map(({ text, others }) => (
        <p key={text} className="keys-clash">
          {t('{keys} is also: {names}', { keys: shown(text, mac), names: others.map((other) => t(other.name)).join(', ') })}
        </p>
      ))}
    </li>
  )
}

/** Takes the next press, and one after it if it comes soon. Escape and Tab lead out of it. */
function Recorder({ name, onDone }: { name: string; onDone: (keys: string | null) => void }) {
  const [strokes, setStrokes] = useState<readonly string[]>([])
  const done = useRef(onDone)
  done.current = onDone
  useEffect(() => {
    if (strokes.length === 0) return
    if (strokes.length === STROKES_MAX) return done.current(strokes.join(' '))
    const timer = setTimeout(() => done.current(strokes.join(' ')), SECOND_WITHIN_MS)
    return () => clearTimeout(timer)
  }, [strokes])
  return (
    <button
      type="button"
      autoFocus
      data-keys="own"
      className="keys-recorder"
      aria-label={t('Press the keys for {name}; Escape leaves them as they are', { name })}
      onBlur={() => onDone(strokes.length > 0 ? strokes.join(' ') : null)}
      onKeyDown={(event) => {
        const plain = !event.ctrlKey && !event.metaKey && !event.altKey
        if (plain && event.key === 'Tab') return
        event.preventDefault()
        event.stopPropagation()
        if (event.repeat) return
        if (plain && event.key === 'Escape') return onDone(null)
        const stroke = written(event.nativeEvent, mac)
        if (stroke !== null) setStrokes((before) => [...before, stroke])
      }}
    >
      {strokes.length === 0 ? t('Press keys') : `${shown(strokes[0]!, mac)} …`}
    </button>
  )
}
