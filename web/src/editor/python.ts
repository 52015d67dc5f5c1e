/** Python's grammar, without the completions that come with it: who knows the code is asked instead. */
import { pythonLanguage } from '@codemirror/lang-python'
import { LanguageSupport } from '@codemirror/language'

export const python = (): LanguageSupport => new LanguageSupport(pythonLanguage)
