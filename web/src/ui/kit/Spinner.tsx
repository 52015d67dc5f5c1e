/** Something is being waited for. */
export function Spinner({ label, large = false }: { label?: string; large?: boolean }) {
  return (
    <span className={large ? 'spinner spinner-large' : 'spinner'} role={label === undefined ? undefined : 'status'} aria-hidden={label === undefined || undefined}>
      {label !== undefined && <span className="visually-hidden">{label}</span>}
    </span>
  )
}
