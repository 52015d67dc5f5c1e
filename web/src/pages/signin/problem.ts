/** Why somebody could not sign in, in words that help. */
import { t } from '../../i18n'
import { ApiError } from '../../api/client'

/** What went wrong and what to do next. The server does not say which of the two was wrong, and neither do we. */
export function signInProblem(error: unknown): string {
  if (!(error instanceof ApiError)) return t('Something went wrong on this page. Load it again and try once more.')
  if (error.status === 401 || error.status === 422)
    return t('That e-mail and password do not match. Check both, or ask your administrator to set a new password.')
  if (error.status === 429) return t('Too many attempts. Wait a minute, then try again.')
  return error.message
}
