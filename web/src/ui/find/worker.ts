/** The place where a regular expression may take as long as it wants, until it is ended from outside. */
import { type Job, searched } from './search'

self.onmessage = ({ data }: MessageEvent<Job>) => self.postMessage(searched(data))
