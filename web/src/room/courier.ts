/** Hands over edits that a closed tab left in this browser: under that tab's own client id, as the server demands. */
import type { FromServer } from '../model/wire'
import { decode, SYNC, updateFrame } from './frames'
import type { MakeSocket, Socket } from './link'

export interface Hello {
  readonly client: number
  readonly epoch: string | null
  readonly vector: string
}

const PATIENCE_MS = 10_000

/** Whether the server has taken the update onto its disk. */
export function deliver(url: string, hello: Hello, update: Uint8Array, make?: MakeSocket): Promise<boolean> {
  return new Promise((done) => {
    const socket = make ? make(url) : (new WebSocket(url) as unknown as Socket)
    const timer = setTimeout(() => socket.close(1000), PATIENCE_MS)
    let taken = false
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: 'hello', protocol: 1, client: hello.client, epoch: hello.epoch, state_vector: hello.vector }))
    }
    socket.onmessage = (event: { data: string | ArrayBuffer }) => {
      if (typeof event.data !== 'string') {
        if (decode(new Uint8Array(event.data))?.kind === SYNC) socket.send(updateFrame(1, update))
        return
      }
      const message = JSON.parse(event.data) as FromServer
      taken ||= message.type === 'ack'
      if (taken) socket.close(1000)
    }
    socket.onclose = () => {
      clearTimeout(timer)
      done(taken)
    }
  })
}
