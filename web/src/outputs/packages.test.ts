import { describe, expect, test } from 'vitest'
import { packageFor } from './packages'

const failed = (ename: string, evalue: string) => packageFor({ output_type: 'error', ename, evalue, traceback: [] })
const missed = (name: string) => failed('ModuleNotFoundError', `No module named '${name}'`)

describe('what an import missed', () => {
  test.each([['cv2', 'opencv-python-headless'], ['sklearn', 'scikit-learn'], ['PIL', 'pillow'], ['yaml', 'PyYAML'], ['bs4', 'beautifulsoup4'], ['fitz', 'pymupdf']])('%s comes with another name, %s', (name, wanted) => {
    expect(missed(name)).toBe(wanted)
  })

  test('comes with its own name otherwise', () => {
    expect([missed('polars'), failed('ImportError', "Missing optional dependency 'openpyxl'.  Use pip or conda to install openpyxl.")]).toEqual(['polars', 'openpyxl'])
  })

  test('is a part of what all of Google has', () => {
    expect([missed('google.cloud.bigquery_storage'), missed('google.genai')]).toEqual(['google-cloud-bigquery-storage', 'google-genai'])
  })

  test('is nothing that could be installed: a part of a package that is there, a part of Python, another error, a stranger’s words', () => {
    expect([missed('numpy.nothing'), missed('tkinter'), missed('constructor.x'), failed('NameError', "No module named 'x'"), failed('ImportError', "cannot import name 'a' from 'b'"), missed('x; rm -rf /'), missed("x'\n!rm")]).toEqual([null, null, null, null, null, null, 'x'])
  })
})
