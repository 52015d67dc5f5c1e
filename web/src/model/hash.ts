/** The hash by which the server knows that it runs what the person saw. Web Crypto is missing on plain http. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

export function sourceHash(source: string): string {
  return bytesToHex(sha256(utf8ToBytes(source)))
}
