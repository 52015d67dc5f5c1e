/** What the places that everybody has are called; all others have names of their own. */
import { t } from '../../i18n'

export const placeName = ({ id, name }: { readonly id: string; readonly name: string }): string => (id === 'root' ? t('My drive') : id === 'shared' ? t('Shared with me') : name)
