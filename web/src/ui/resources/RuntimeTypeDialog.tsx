/** Which machine, which packages and which language a notebook gets; kept in the notebook as Colab keeps it. */
import './resources.css'
import { Cpu, Gpu, MemoryStick } from 'lucide-react'
import { useMemo, useState } from 'react'
import { t } from '../../i18n'
import { runtimes, type Version } from '../../api/runtimes'
import { choose, chosen, KERNELS, kernelLabel, type RuntimeType } from '../../model/runtimes'
import { sizeText } from '../../model/usage'
import { isHere } from '../../session/session'
import { Button, classes, Dialog, Select, Spinner } from '../kit'
import { useDesk, useMay, useSession } from '../notebook/hooks'
import { useAsked } from './useAsked'

export default function RuntimeTypeDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title={t('Change runtime type')} wide>
      {open && <Loaded onClose={onClose} />}
    </Dialog>
  )
}

const offered = async () => {
  const [types, versions] = await Promise.all([runtimes.types(), runtimes.versions()])
  return { types, versions }
}

function Loaded({ onClose }: { onClose: () => void }) {
  const { value, error, again } = useAsked(offered)
  if (value !== undefined) return <Form {...value} onClose={onClose} />
  if (error === undefined) return <div className="sessions-wait"><Spinner large label={t('Loading')} /></div>
  return (
    <>
      <p className="field-error" role="alert">{error}</p>
      <div className="dialog-actions">
        <Button onClick={again}>{t('Try again')}</Button>
      </div>
    </>
  )
}

/** The choice of no version in particular. */
const USUAL = ''

function Form({ types, versions, onClose }: { types: readonly RuntimeType[]; versions: readonly Version[]; onClose: () => void }) {
  const desk = useDesk()
  const mayWrite = useMay('write')
  const runtime = useSession((session) => session.runtime)
  const running = useSession((session) => session.kernel?.name)
  const before = useMemo(() => chosen(desk.room.doc, types), [desk, types])
  const usualType = types.find((one) => one.default) ?? types[0]
  const usualVersion = versions.find((one) => one.default) ?? versions[0]
  const [type, setType] = useState(before.type ?? usualType?.name ?? '')
  const [version, setVersion] = useState(before.version ?? USUAL)
  const [kernel, setKernel] = useState(before.kernel)
  const meant = version === USUAL ? usualVersion : versions.find(({ name }) => name === version)
  const kernels = [...new Set([...(meant?.languages ?? []), kernel])]
  const impossible = meant !== undefined && !meant.languages.includes(kernel)
  const live = isHere(runtime)
  const picked = types.find(({ name }) => name === type)
  // An accelerator may bring a version of its own, so only the server knows which is usual for it.
  const asked = version !== USUAL ? version : picked?.accelerator ? undefined : usualVersion?.name
  const differs = live && (runtime.type !== type || (asked !== undefined && runtime.version !== asked))
  const speaks = live && !differs && running != null && running !== kernel
  const save = () => {
    if (mayWrite) choose(desk.room.doc, { type: picked && !picked.default ? picked : null, version: version === USUAL ? null : version, kernel })
    onClose()
    if (speaks && mayWrite) desk.session.command('restart')
    else if (!live || differs) desk.session.connect({ ...(picked && { type }), ...(asked !== undefined && { version: asked }) })
  }
  const options = [
    { value: USUAL, label: t('Latest default{value}', { value: usualVersion ? ` (${usualVersion.name})` : '' }) },
    ...versions.map(({ name, ready }) => ({ value: name, label: ready ? name : t('{name} (to be built)', { name }) })),
    ...(version !== USUAL && meant === undefined ? [{ value: version, label: t('{version} (not offered here)', { version }) }] : []),
  ]
  return (
    <form
      className="runtime-form"
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
    >
      <div className="runtime-form-row">
        <span className="field-label">{t('Language')}</span>
        <Select label={t('Language')} value={kernel} options={kernels.map((name) => ({ value: name, label: kernelLabel(name) }))} onChange={setKernel} />
      </div>
      {impossible && <p className="field-error">{KERNELS[kernel] ? t('Runtime version {version} does not offer {kernel}.', { version: meant.name, kernel: kernelLabel(kernel) }) : t('Runtime version {version} does not offer {kernel}, the kernel that this notebook names.', { version: meant.name, kernel: kernelLabel(kernel) })}</p>}
      <fieldset className="type-cards">
        <legend className="field-label">{t('Hardware')}</legend>
        {types.map((one) => (
          <TypeCard key={one.name} type={one} checked={one.name === type} onChange={() => setType(one.name)} />
        ))}
      </fieldset>
      <div className="runtime-form-row">
        <span className="field-label">{t('Runtime version')}</span>
        <Select label={t('Runtime version')} value={version} options={options} onChange={setVersion} />
      </div>
      {meant !== undefined && <Packages key={meant.name} version={meant} />}
      {meant !== undefined && !meant.ready && <p className="field-hint">{t('This version is not built yet. The first runtime with it takes some minutes, and you see how far it is.')}</p>}
      {differs && <p className="runtime-form-warning" role="status">{t('The runtime you have now is deleted, with its variables and files. Text and outputs stay.')}</p>}
      {speaks && mayWrite && <p className="runtime-form-warning" role="status">{t('The session restarts with the other language: variables are gone, files stay.')}</p>}
      {!mayWrite && <p className="field-hint">{t('You may not change this notebook, so your choice holds for this connection alone.')}</p>}
      <div className="dialog-actions">
        <Button weight="ghost" onClick={onClose}>
          {t('Cancel')}
        </Button>
        <Button weight="primary" type="submit" disabled={impossible}>
          {speaks ? t('Save and restart') : live && !differs ? t('Save') : t('Save and connect')}
        </Button>
      </div>
    </form>
  )
}

function TypeCard({ type, checked, onChange }: { type: RuntimeType; checked: boolean; onChange: () => void }) {
  const { name, label, description, accelerator, available, reason, limits } = type
  const icon = { size: 20, 'aria-hidden': true } as const
  return (
    <label className={classes('type-card', checked && 'type-card-on', !available && 'type-card-off')}>
      <input type="radio" name="runtime-type" value={name} checked={checked} disabled={!available} onChange={onChange} aria-label={label} aria-describedby={`type-${name}`} />
      <span className="type-card-icon">{accelerator ? <Gpu {...icon} /> : name.includes('ram') ? <MemoryStick {...icon} /> : <Cpu {...icon} />}</span>
      <span className="type-card-words">
        <strong>{label}</strong>
        <span id={`type-${name}`}>
          {available ? t('{cpus} {value} · {sizeText} RAM · {sizeText2} disk{value2}', { cpus: limits.cpus, value: limits.cpus === 1 ? 'CPU' : 'CPUs', sizeText: sizeText(limits.memory_bytes), sizeText2: sizeText(limits.disk_bytes), value2: description ? `. ${description}` : '' }) : (reason ?? t('Not available now'))}
        </span>
      </span>
    </label>
  )
}

function Packages({ version }: { version: Version }) {
  const [open, setOpen] = useState(false)
  return (
    <details className="packages" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('{packages_count} packages of {name}', { packages_count: version.packages_count, name: version.name })}</summary>
      {open && <PackageList version={version.name} />}
    </details>
  )
}

function PackageList({ version }: { version: string }) {
  const { value, error } = useAsked(useMemo(() => () => runtimes.version(version), [version]))
  const [query, setQuery] = useState('')
  if (value === undefined) return error === undefined ? <Spinner label={t('Loading')} /> : <p className="field-error">{error}</p>
  const found = value.packages.filter(({ name }) => name.toLowerCase().includes(query.trim().toLowerCase()))
  return (
    <>
      <input type="search" className="field-control packages-search" aria-label={t('Find a package')} placeholder={t('Find a package')} value={query} onChange={(event) => setQuery(event.target.value)} />
      <div className="packages-list" tabIndex={0} role="group" aria-label={t('Packages of {version}', { version })}>
        <table>
          <thead className="visually-hidden">
            <tr>
              <th scope="col">{t('Package')}</th>
              <th scope="col">{t('Version')}</th>
            </tr>
          </thead>
          <tbody>
            {found.map((one) => (
              <tr key={one.name}>
                <td>{one.name}</td>
                <td>{one.version}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {found.length === 0 && <p className="packages-none">{t('No package has that name. pip can install it in your runtime.')}</p>}
      </div>
    </>
  )
}
