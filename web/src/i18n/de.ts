/** German. */
import type { Catalogue } from './index'

export default {} satisfies Catalogue as Catalogue
