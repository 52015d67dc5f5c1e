/** Collegium's own mark: three readers around one table. */
export function Mark({ size = 32 }: { size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9.5" fill="var(--mark)" />
      <path d="M22.6 10.9a8.4 8.4 0 1 0 0 10.2" fill="none" stroke="#fff" strokeWidth="3.1" strokeLinecap="round" />
      <circle cx="16" cy="16" r="2.5" fill="#ffb65c" />
    </svg>
  )
}
