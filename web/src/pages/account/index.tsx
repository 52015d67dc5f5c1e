/** A person's own account. */
export default function AccountPage() {
  return null
}
