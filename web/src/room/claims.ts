/** Which tab of this browser speaks for a client id, so that nobody delivers the edits of a tab that still lives. */

const nameOf = (client: number) => `collegium/client/${client}`

/** Hold a client id until the answer is called. Plain http has no locks; tabs then trust each other to be alone. */
export function hold(client: number): () => void {
  let release = () => undefined as void
  const released = new Promise<void>((done) => {
    release = done
  })
  void globalThis.navigator?.locks?.request(nameOf(client), () => released)
  return release
}

/** Do the work for a client id that no tab holds; true as well when its own tab will do it. */
export async function unlessHeld(client: number, work: () => Promise<boolean>): Promise<boolean> {
  const locks = globalThis.navigator?.locks
  if (!locks) return work()
  return locks.request(nameOf(client), { ifAvailable: true }, (lock) => (lock ? work() : true))
}
