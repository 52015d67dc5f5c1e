/** A person's initial on their colour. */
export function Avatar({ name, color, size = 28, decorative = false }: { name: string; color: string; size?: number; decorative?: boolean }) {
  const initial = [...name.trim()][0]?.toUpperCase() ?? '?'
  return (
    <span
      className="avatar"
      style={{ background: /^#[0-9a-f]{6}$/i.test(color) ? color : '#5b6472', width: size, height: size, fontSize: size * 0.44 }}
      {...(decorative ? { 'aria-hidden': true } : { role: 'img', 'aria-label': name, title: name })}
    >
      {initial}
    </span>
  )
}
